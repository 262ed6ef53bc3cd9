import { removeContainer } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { withStore } from '../store-session.js';

export const command = defineCommand({
  positionals: { container: { type: 'string', array: true, demandOption: true, describe: 'Names or ids' } },
  options: { force: { alias: 'f', type: 'boolean', describe: 'Also those that run' } },
  unsupported: {
    volumes: { value: false, reason: 'containers have no volumes of their own', instead: 'Leave it out.' },
  },
  examples: [{ line: 'lading rm edit', does: 'With all that it has changed' }],
  async run(args, context) {
    await withStore(args, context, async store => {
      for (const text of args.container) {
        const { name } = await removeContainer(text, { store, force: args.force, signal: context.signal });
        context.stdout.write(`${name}\n`);
      }
    });
  },
});
