import { resolve } from 'node:path';
import { loadImages } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { namedDigest } from '../render/named-digest.js';
import { withProgress } from '../render/progress.js';
import { quietOption } from '../shared-options.js';
import { withStore } from '../store-session.js';
import { UsageError } from '../usage-error.js';

export const command = defineCommand({
  options: {
    input: { alias: 'i', type: 'string', requiresArg: true, describe: 'File to read, instead of standard input' },
    ...quietOption,
  },
  unsupported: {
    platform: {
      value: true,
      reason: 'an archive is loaded whole',
      instead: 'Use lading copy --platform OS/ARCH oci-archive:FILE store:NAME.',
    },
  },
  examples: [
    { line: 'lading load -i app.tar', does: 'From a file' },
    { line: 'docker save app:1.0 | lading load', does: 'From an engine' },
  ],
  async run(args, context) {
    const { stdin, stdout, cwd, signal } = context;
    const file = args.input === '-' ? undefined : args.input;
    if (file === undefined && stdin.isTTY) {
      throw new UsageError('there is no archive on standard input', 'Use -i FILE, or send one through a pipe.');
    }
    const loaded = await withStore(args, context, store =>
      withProgress(args.quiet ? 'quiet' : args.progress, context, progress =>
        loadImages(store, file === undefined ? stdin : resolve(cwd, file), { onEvent: progress.transfer, signal }),
      ),
    );
    for (const { name, descriptor } of loaded) {
      stdout.write(`${name === undefined ? descriptor.digest : namedDigest(name, descriptor.digest)}\n`);
    }
  },
});
