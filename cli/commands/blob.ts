import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { readBlob } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { locationText } from '../location-text.js';
import { registryOptions } from '../registry-options.js';
import { UsageError } from '../usage-error.js';
import { withPlaces } from '../with-places.js';
import { writeWholeFile } from '../write-whole-file.js';

export const command = defineCommand({
  positionals: {
    blob: { type: 'string', demandOption: true, describe: 'NAME@DIGEST in a registry, store:DIGEST, oci:DIR:DIGEST' },
  },
  options: {
    output: { alias: 'o', type: 'string', requiresArg: true, describe: 'File to write, instead of standard output' },
    ...registryOptions,
  },
  examples: [
    { line: 'lading blob debian@DIGEST | tar -tz', does: 'What is in a layer' },
    { line: 'lading blob -o config.json debian@DIGEST', does: 'To a file, which is there only when it is right' },
  ],
  async run(args, context) {
    const { stdout, cwd, signal } = context;
    const file = args.output === undefined || args.output === '-' ? undefined : resolve(cwd, args.output);
    if (file === undefined && stdout.isTTY) {
      throw new UsageError('a blob is nothing for a terminal', 'Use -o FILE, or send it into a pipe.');
    }
    await withPlaces(args, context, options =>
      readBlob(locationText(args.blob, cwd), options, async content => {
        if (file === undefined) await pipeline(content, stdout, { end: false, signal });
        else await writeWholeFile(file, target => pipeline(content, target, { end: false, signal }));
      }),
    );
  },
});
