import { resolve } from 'node:path';
import { fetchArtifact } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { locationText } from '../location-text.js';
import { registryOptions } from '../registry-options.js';
import { formatJson } from '../render/json.js';
import { printableLine } from '../render/printable.js';
import { jsonOption } from '../shared-options.js';
import { withPlaces } from '../with-places.js';

export const command = defineCommand({
  positionals: { artifact: { type: 'string', demandOption: true, describe: 'NAME@DIGEST of the artifact' } },
  options: {
    output: { alias: 'o', type: 'string', default: '.', requiresArg: true, describe: 'Folder to write to' },
    overwrite: { type: 'boolean', describe: 'Write over files that are there' },
    ...registryOptions,
    ...jsonOption,
  },
  examples: [{ line: 'lading artifact fetch -o reports ghcr.io/me/app@DIGEST', does: 'Its files, by their names' }],
  async run(args, context) {
    const { cwd, stdout } = context;
    const files = await withPlaces(args, context, options =>
      fetchArtifact(locationText(args.artifact, cwd), {
        ...options,
        directory: resolve(cwd, args.output),
        overwrite: args.overwrite,
      }),
    );
    if (args.json) stdout.write(formatJson(files));
    else for (const { name } of files) stdout.write(`${printableLine(name)}\n`);
  },
});
