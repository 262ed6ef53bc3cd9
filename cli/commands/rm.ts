import { removeContainers } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { entering } from '../entering.js';
import { withStore } from '../store-session.js';

export const command = defineCommand({
  positionals: { container: { type: 'string', array: true, demandOption: true, describe: 'Names or ids' } },
  options: { force: { alias: 'f', type: 'boolean', describe: 'Also those that run' } },
  unsupported: {
    volumes: { value: false, reason: 'containers have no volumes of their own', instead: 'Leave it out.' },
  },
  examples: [{ line: 'lading rm edit', does: 'With all that it has changed' }],
  async run(args, context) {
    const { signal, stdout } = context;
    const removed = await withStore(args, context, store =>
      removeContainers(args.container, { store, force: args.force, ...entering(context), signal }),
    );
    for (const { name } of removed) stdout.write(`${name}\n`);
  },
});
