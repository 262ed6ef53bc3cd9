import { listReferrers } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { locationText } from '../location-text.js';
import { registryOptions } from '../registry-options.js';
import { formatJson } from '../render/json.js';
import { formatTable } from '../render/table.js';
import { imagePlace, jsonOption, onePlatform } from '../shared-options.js';
import { withPlaces } from '../with-places.js';

export const command = defineCommand({
  positionals: imagePlace,
  options: {
    'artifact-type': { type: 'string', requiresArg: true, describe: 'Only those of this type' },
    ...onePlatform,
    ...registryOptions,
    ...jsonOption,
  },
  examples: [
    { line: 'lading artifact list ghcr.io/me/app:1', does: 'Signatures, statements and the like about an image' },
  ],
  async run(args, context) {
    const found = await withPlaces(args, context, options =>
      listReferrers(locationText(args.image, context.cwd), {
        ...options,
        platform: args.platform,
        artifactType: args.artifactType,
      }),
    );
    if (args.json) {
      context.stdout.write(formatJson(found));
      return undefined;
    }
    const rows = found.referrers.map(({ artifactType = '', digest, annotations }) => [
      artifactType,
      digest,
      annotations?.['org.opencontainers.image.created'] ?? '',
    ]);
    context.stdout.write(formatTable(columns, rows));
    return undefined;
  },
});

const columns = [{ title: 'TYPE' }, { title: 'DIGEST' }, { title: 'CREATED' }] as const;
