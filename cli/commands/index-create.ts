import { createIndex } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { indexAnnotations, indexOptions, indexPositionals, placeTexts } from '../index-command.js';
import { withPlaces } from '../with-places.js';

export const command = defineCommand({
  positionals: indexPositionals,
  options: indexOptions,
  examples: [
    { line: 'lading index create ghcr.io/me/app:1 ghcr.io/me/app:1-amd64 ghcr.io/me/app:1-arm64', does: 'Of images' },
    { line: 'lading index create oci:folder:1 docker://debian:12', does: 'All images of an index' },
  ],
  async run(args, context) {
    const [name, ...sources] = placeTexts([args.name, ...args.source], context);
    const { digest } = await withPlaces(args, context, options =>
      createIndex(name!, sources, { ...options, annotations: indexAnnotations(args) }),
    );
    context.stdout.write(`${digest}\n`);
  },
});
