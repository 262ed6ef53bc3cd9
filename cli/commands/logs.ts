import { containerLog } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { withStore } from '../store-session.js';

export const command = defineCommand({
  positionals: { container: { type: 'string', demandOption: true, describe: 'Name or id' } },
  options: {
    follow: { alias: 'f', type: 'boolean', describe: 'Go on until it has ended' },
    timestamps: { type: 'boolean', describe: 'Say when each piece was written' },
  },
  examples: [{ line: 'lading logs -f server', does: 'As it comes' }],
  async run(args, context) {
    const { stdout, stderr, signal } = context;
    await withStore(args, context, async store => {
      for await (const { stream, timeMs, text } of containerLog(args.container, {
        store,
        follow: args.follow,
        signal,
      })) {
        const when = args.timestamps ? `${new Date(timeMs).toISOString()} ` : '';
        (stream === 'stdout' ? stdout : stderr).write(when + text);
      }
    });
  },
});
