import { pipeline } from 'node:stream/promises';
import { openFailedCommand } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { withStore } from '../store-session.js';

export const command = defineCommand({
  positionals: { path: { type: 'string', demandOption: true, describe: 'File' } },
  options: {},
  examples: [{ line: 'lading debug cat /app/config.log', does: 'A log that the RUN has left' }],
  async run({ path, ...args }, context) {
    await withStore(args, context, async store => {
      const failed = await openFailedCommand(store, { signal: context.signal });
      await pipeline(failed.read(path, { signal: context.signal }), context.stdout, { end: false });
    });
    return undefined;
  },
});
