import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WrittenBlob } from '../../src/layer/write-blob.js';
import { digestOf } from '../../src/oci/digest.js';

/** Writes an OCI layout with one image, named `1`, of these layers. */
export async function writeLayout(
  folder: string,
  layers: ReadonlyArray<Pick<WrittenBlob, 'diffId' | 'blob'> & { readonly bytes: Uint8Array }>,
): Promise<void> {
  const blobs = join(folder, 'blobs/sha256');
  await mkdir(blobs, { recursive: true });
  const put = async (mediaType: string, content: Uint8Array) => {
    const digest = digestOf(content);
    await writeFile(join(blobs, digest.slice('sha256:'.length)), content);
    return { mediaType, digest, size: content.length };
  };
  const json = (mediaType: string, value: unknown) => put(mediaType, Buffer.from(JSON.stringify(value)));
  for (const { blob, bytes } of layers) await put(blob.mediaType, bytes);
  const config = await json('application/vnd.oci.image.config.v1+json', {
    architecture: 'amd64',
    os: 'linux',
    config: { Cmd: ['/nothing'] },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
  });
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = await json(mediaType, {
    schemaVersion: 2,
    mediaType,
    config,
    layers: layers.map(({ blob }) => blob),
  });
  const named = { ...manifest, annotations: { 'org.opencontainers.image.ref.name': '1' } };
  await writeFile(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [named] }));
  await writeFile(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
}
