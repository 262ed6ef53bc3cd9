import type { BuildImageResult } from '../../src/index.js';
import { formatJson } from './json.js';

/** What a build has made, as `docker build --metadata-file` writes it. */
export function buildMetadata({ descriptor, images, names }: BuildImageResult): string {
  const { mediaType, digest, size, annotations } = descriptor;
  const only = images.length === 1 ? images[0] : undefined;
  return formatJson({
    ...(only === undefined ? {} : { 'containerimage.config.digest': only.configDigest }),
    'containerimage.descriptor': {
      mediaType,
      digest,
      size,
      ...(annotations === undefined ? {} : { annotations }),
      ...(only === undefined ? {} : { platform: only.platform }),
    },
    'containerimage.digest': digest,
    ...(names.length === 0 ? {} : { 'image.name': names.join(',') }),
  });
}
