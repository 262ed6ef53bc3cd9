import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '../../src/oci/digest.js';

/** Writes an OCI layout with one image of these layers, which are tars as they are, however hostile. @returns the folder */
export function layoutOf(folder: string, layers: readonly Uint8Array[], config: object = {}): string {
  const blobs = join(folder, 'blobs/sha256');
  mkdirSync(blobs, { recursive: true });
  const put = (mediaType: string, content: Uint8Array) => {
    const digest = digestOf(content);
    writeFileSync(join(blobs, digest.slice('sha256:'.length)), content);
    return { mediaType, digest, size: content.length };
  };
  const json = (mediaType: string, value: unknown) => put(mediaType, Buffer.from(JSON.stringify(value)));
  const image = json('application/vnd.oci.image.config.v1+json', {
    ...{ architecture: 'amd64', os: 'linux', config },
    rootfs: { type: 'layers', diff_ids: layers.map(layer => digestOf(layer)) },
  });
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = json(mediaType, {
    ...{ schemaVersion: 2, mediaType, config: image },
    layers: layers.map(layer => put('application/vnd.oci.image.layer.v1.tar', layer)),
  });
  writeFileSync(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [manifest] }));
  writeFileSync(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  return folder;
}
