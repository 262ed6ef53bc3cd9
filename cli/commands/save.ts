import { resolve } from 'node:path';
import { saveImages } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { imageName } from '../image-name.js';
import { withStore } from '../store-session.js';
import { UsageError } from '../usage-error.js';

export const command = defineCommand({
  positionals: {
    image: { type: 'string', array: true, demandOption: true, describe: 'Names or digests in the store' },
  },
  options: {
    output: { alias: 'o', type: 'string', requiresArg: true, describe: 'File to write, instead of standard output' },
    format: {
      choices: ['docker', 'oci'] as const,
      default: 'docker' as const,
      requiresArg: true,
      describe: 'For "docker load" and everything else, or an OCI layout in a tar',
    },
  },
  unsupported: {
    platform: {
      value: true,
      reason: 'what the name means is saved whole',
      instead: 'Use lading copy --platform OS/ARCH store:NAME docker-archive:FILE:NAME.',
    },
  },
  examples: [
    { line: 'lading save -o app.tar app:1.0', does: 'To a file' },
    { line: 'lading save app:1.0 | docker load', does: 'To an engine' },
  ],
  async run(args, context) {
    const { stdout, cwd, signal } = context;
    const file = args.output === '-' ? undefined : args.output;
    if (file === undefined && stdout.isTTY) {
      throw new UsageError('an archive is nothing for a terminal', 'Use -o FILE, or send it into a pipe.');
    }
    await withStore(args, context, async store => {
      const names = await Promise.all(args.image.map(text => imageName(store, text)));
      const target = file === undefined ? stdout : resolve(cwd, file);
      await saveImages(store, names, target, { format: args.format, signal });
    });
  },
});
