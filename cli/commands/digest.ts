import { resolveImage } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { locationText } from '../location-text.js';
import { registryOptions } from '../registry-options.js';
import { formatJson } from '../render/json.js';
import { imagePlace, jsonOption, onePlatform } from '../shared-options.js';
import { withPlaces } from '../with-places.js';

export const command = defineCommand({
  positionals: imagePlace,
  options: { ...onePlatform, ...registryOptions, ...jsonOption },
  examples: [
    { line: 'lading digest debian:12', does: 'What the tag leads to now' },
    { line: 'lading digest --platform linux/arm64 debian:12', does: 'Of one platform' },
  ],
  async run(args, context) {
    const descriptor = await withPlaces(args, context, options =>
      resolveImage(locationText(args.image, context.cwd), { ...options, platform: args.platform }),
    );
    context.stdout.write(args.json ? formatJson(descriptor) : `${descriptor.digest}\n`);
  },
});
