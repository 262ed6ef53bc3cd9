import { deleteFromRegistry } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { registryOptions } from '../registry-options.js';
import { withPlaces } from '../with-places.js';

export const command = defineCommand({
  positionals: {
    image: {
      type: 'string',
      array: true,
      demandOption: true,
      describe: 'NAME:TAG for the tag alone, NAME@DIGEST for a manifest with all its tags',
    },
  },
  options: {
    blob: { type: 'boolean', describe: 'The digests are those of blobs' },
    ...registryOptions,
  },
  examples: [
    { line: 'lading delete ghcr.io/me/team/app:old', does: 'A tag, where the registry can' },
    { line: 'lading delete localhost:5000/app@DIGEST', does: 'A manifest, with its tags' },
  ],
  async run(args, context) {
    await withPlaces(args, context, async options => {
      for (const name of args.image) {
        await deleteFromRegistry(name, { ...options, blob: args.blob });
        context.stdout.write(`deleted ${name}\n`);
      }
    });
  },
});
