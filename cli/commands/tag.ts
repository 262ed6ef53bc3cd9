import { tagImage } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { imageName } from '../image-name.js';
import { withStore } from '../store-session.js';

export const command = defineCommand({
  positionals: {
    image: { type: 'string', demandOption: true, describe: 'Name, digest or beginning of a digest' },
    name: { type: 'string', demandOption: true, describe: 'The further name' },
  },
  examples: [{ line: 'lading tag app:1.0 ghcr.io/me/team/app:1.0', does: 'Name an image for a registry' }],
  async run(args, context) {
    await withStore(args, context, async store => {
      await tagImage(store, await imageName(store, args.image), args.name, { signal: context.signal });
    });
  },
});
