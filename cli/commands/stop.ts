import { stopContainer } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { withStore } from '../store-session.js';

export const command = defineCommand({
  positionals: { container: { type: 'string', array: true, demandOption: true, describe: 'Names or ids' } },
  options: {
    time: { alias: 't', type: 'number', default: 10, requiresArg: true, describe: 'Seconds to end by itself' },
  },
  examples: [{ line: 'lading stop server', does: 'Ask it to end, then end it' }],
  async run(args, context) {
    await withStore(args, context, async store => {
      for (const text of args.container) {
        const { name } = await stopContainer(text, { store, graceMs: args.time * 1000, signal: context.signal });
        context.stdout.write(`${name}\n`);
      }
    });
  },
});
