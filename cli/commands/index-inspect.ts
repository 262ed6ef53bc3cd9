import { formatPlatform, type ImageIndex, readRawManifest } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { locationText } from '../location-text.js';
import { registryOptions } from '../registry-options.js';
import { formatJson } from '../render/json.js';
import { formatSize } from '../render/size.js';
import { formatTable } from '../render/table.js';
import { imagePlace, jsonOption } from '../shared-options.js';
import { UsageError } from '../usage-error.js';
import { withPlaces } from '../with-places.js';

export const command = defineCommand({
  positionals: imagePlace,
  options: { ...registryOptions, ...jsonOption },
  examples: [{ line: 'lading index inspect debian:12', does: 'Which platforms there are' }],
  async run(args, context) {
    const { descriptor, bytes } = await withPlaces(args, context, options =>
      readRawManifest(locationText(args.image, context.cwd), options),
    );
    const index = JSON.parse(new TextDecoder().decode(bytes)) as Partial<ImageIndex>;
    if (!Array.isArray(index.manifests)) {
      throw new UsageError(`${args.image} is one image, not an index`, 'Look at it with lading inspect.');
    }
    if (args.json) {
      context.stdout.write(formatJson({ descriptor, index }));
      return undefined;
    }
    const rows = index.manifests.map(({ platform, digest, size, artifactType, annotations }) => [
      platform === undefined ? '' : formatPlatform(platform),
      digest,
      formatSize(size),
      artifactType ?? annotations?.['vnd.docker.reference.type'] ?? '',
    ]);
    context.stdout.write(`${descriptor.digest}\n${formatTable(columns, rows)}`);
    return undefined;
  },
});

const columns = [
  { title: 'PLATFORM' },
  { title: 'DIGEST' },
  { title: 'MANIFEST', align: 'right' },
  { title: 'TYPE' },
] as const;
