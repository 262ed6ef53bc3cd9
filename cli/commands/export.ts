import { resolve } from 'node:path';
import { exportContainer } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { entering } from '../entering.js';
import { withStore } from '../store-session.js';
import { UsageError } from '../usage-error.js';
import { writeWholeFile } from '../write-whole-file.js';

export const command = defineCommand({
  positionals: { container: { type: 'string', demandOption: true, describe: 'Name or id; it must not run' } },
  options: {
    output: { alias: 'o', type: 'string', requiresArg: true, describe: 'File to write, instead of standard output' },
  },
  examples: [{ line: 'lading export edit | tar -t', does: 'All of its files, as a tar' }],
  async run(args, context) {
    const { stdout, cwd, signal } = context;
    const file = args.output === undefined || args.output === '-' ? undefined : resolve(cwd, args.output);
    if (file === undefined && stdout.isTTY) {
      throw new UsageError('an archive is nothing for a terminal', 'Use -o FILE, or send it into a pipe.');
    }
    await withStore(args, context, async store => {
      if (file === undefined) {
        await exportContainer(args.container, stdout, { store, ...entering(context), signal });
        return;
      }
      await writeWholeFile(file, target =>
        exportContainer(args.container, target, { store, ...entering(context), signal }),
      );
    });
  },
});
