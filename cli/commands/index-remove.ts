import { removeFromIndex } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { indexAnnotations, indexOptions, placeTexts } from '../index-command.js';
import { withPlaces } from '../with-places.js';

export const command = defineCommand({
  positionals: {
    name: { type: 'string', demandOption: true, describe: 'The index' },
    image: { type: 'string', array: true, demandOption: true, describe: 'Platforms or digests' },
  },
  options: indexOptions,
  examples: [{ line: 'lading index remove ghcr.io/me/app:1 linux/386', does: 'One platform less' }],
  async run(args, context) {
    const [name] = placeTexts([args.name], context);
    const { digest } = await withPlaces(args, context, options =>
      removeFromIndex(name!, args.image, { ...options, annotations: indexAnnotations(args) }),
    );
    context.stdout.write(`${digest}\n`);
  },
});
