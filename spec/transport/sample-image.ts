import { gzipSync } from 'node:zlib';
import tarStream from 'tar-stream';
import type { ContentTarget } from '../../src/content/content.js';
import type { Descriptor } from '../../src/oci/descriptor.js';
import { digestOf } from '../../src/oci/digest.js';
import { encodeManifest } from '../../src/oci/manifest.js';
import { mediaTypes } from '../../src/oci/media-types.js';
import { readCapped } from '../../src/stream/read-capped.js';
import { rereadable } from '../../src/stream/rereadable.js';

export interface Blob {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
}

export interface SampleImage {
  readonly manifest: Blob;
  readonly config: Blob;
  /** Gzipped tars. */
  readonly layers: readonly Blob[];
  readonly tars: readonly Buffer[];
  /** All of it, leaves first. */
  readonly blobs: readonly Blob[];
}

export function blobOf(bytes: Uint8Array, mediaType: string = mediaTypes.layerGzip): Blob {
  return { bytes: Buffer.from(bytes), descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } };
}

/** Bytes without a pattern, always the same for a seed. */
export function noise(size: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(size);
  let state = seed;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[i] = state >>> 16;
  }
  return bytes;
}

/** A tar of files, of their names and contents; a `link` is a symbolic one. */
export async function tarOf(
  files: Readonly<Record<string, string | Buffer | { readonly link: string }>>,
): Promise<Buffer> {
  const pack = tarStream.pack();
  for (const [name, content] of Object.entries(files)) {
    if (typeof content === 'object' && 'link' in content) {
      pack.entry({ name, type: 'symlink', linkname: content.link, mtime: new Date(0) });
    } else {
      pack.entry({ name, mtime: new Date(0) }, content);
    }
  }
  pack.finalize();
  return readCapped(pack as unknown as AsyncIterable<Uint8Array>, 64 * 1024 * 1024, 'tar');
}

/** A small image of two layers; another seed is another image. */
export async function sampleImage(seed = 1, layerSize = 2000): Promise<SampleImage> {
  const tars = [await tarOf({ 'etc/name': `image ${seed}` }), await tarOf({ data: noise(layerSize, seed) })];
  const layers = tars.map(tar => blobOf(gzipSync(tar)));
  const config = blobOf(
    Buffer.from(
      JSON.stringify({
        architecture: 'amd64',
        os: 'linux',
        rootfs: { type: 'layers', diff_ids: tars.map(tar => digestOf(tar)) },
      }),
    ),
    mediaTypes.config,
  );
  const manifest = blobOf(
    encodeManifest({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: config.descriptor,
      layers: layers.map(layer => layer.descriptor),
    }),
    mediaTypes.manifest,
  );
  return { manifest, config, layers, tars, blobs: [...layers, config, manifest] };
}

export async function putBlob(target: ContentTarget, { descriptor, bytes }: Blob): Promise<void> {
  await target.put(
    descriptor,
    rereadable(offset => inPieces(bytes.subarray(offset))),
  );
}

export async function putImage(target: ContentTarget, image: SampleImage, name: string): Promise<void> {
  for (const blob of image.blobs) await putBlob(target, blob);
  await target.tag(image.manifest.descriptor, name);
}

export async function* inPieces(bytes: Uint8Array, size = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
