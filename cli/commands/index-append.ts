import { appendToIndex } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { indexAnnotations, indexOptions, indexPositionals, placeTexts } from '../index-command.js';
import { withPlaces } from '../with-places.js';

export const command = defineCommand({
  positionals: indexPositionals,
  options: indexOptions,
  examples: [
    {
      line: 'lading index append ghcr.io/me/app:1 ghcr.io/me/app:1-riscv64',
      does: 'In place of what it has for that platform',
    },
  ],
  async run(args, context) {
    const [name, ...sources] = placeTexts([args.name, ...args.source], context);
    const { digest } = await withPlaces(args, context, options =>
      appendToIndex(name!, sources, { ...options, annotations: indexAnnotations(args) }),
    );
    context.stdout.write(`${digest}\n`);
  },
});
