import { readRawManifest } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { locationText } from '../location-text.js';
import { registryOptions } from '../registry-options.js';
import { imagePlace, onePlatform } from '../shared-options.js';
import { withPlaces } from '../with-places.js';

export const command = defineCommand({
  positionals: imagePlace,
  options: { ...onePlatform, ...registryOptions },
  examples: [
    { line: 'lading manifest debian:12', does: 'Its bytes as they are: their SHA-256 is its digest' },
    { line: 'lading manifest --platform linux/arm64 debian:12 | jq .layers', does: 'Of one platform' },
  ],
  async run(args, context) {
    const { bytes } = await withPlaces(args, context, options =>
      readRawManifest(locationText(args.image, context.cwd), { ...options, platform: args.platform }),
    );
    context.stdout.write(bytes);
  },
});
