import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { assembleImage, imageIndex } from '../../src/image/mutate.js';
import type { ImageConfig } from '../../src/oci/config.js';
import type { Descriptor } from '../../src/oci/descriptor.js';
import { digestOf } from '../../src/oci/digest.js';
import { layerMediaType } from '../../src/oci/media-types.js';
import type { Platform } from '../../src/oci/platform.js';
import type { LayerRef } from '../../src/tree/node.js';
import type { MemoryContent } from './memory-content.js';

/** Numbers in [0, 1) that a seed determines (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export function randomBytes(random: () => number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < size; i++) bytes[i] = Math.floor(random() * 256);
  return bytes;
}

export interface RandomImageOptions {
  readonly layers?: number | undefined;
  /** Bytes of each layer's one large file. */
  readonly layerBytes?: number | undefined;
  readonly style?: 'oci' | 'docker' | undefined;
  readonly compression?: 'none' | 'gzip' | undefined;
  readonly platform?: Platform | undefined;
}

export interface RandomImage {
  readonly descriptor: Descriptor;
  readonly config: Descriptor;
  readonly layers: readonly LayerRef[];
}

/** A tar with a folder, a file of random bytes and a link. */
export async function randomTar(random: () => number, bytes = 2000): Promise<Buffer> {
  const tar = pack();
  const mtime = new Date(1_600_000_000_000);
  const name = `d${Math.floor(random() * 1e9)}`;
  tar.entry({ name: `${name}/`, type: 'directory', mode: 0o755, mtime });
  tar.entry({ name: `${name}/file`, mode: 0o644, mtime }, randomBytes(random, bytes));
  tar.entry({ name: `${name}/link`, type: 'symlink', linkname: 'file', mtime });
  tar.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of tar) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

/** A whole valid image, all of it in `content`. The same seed gives the same bytes. */
export async function randomImage(
  content: MemoryContent,
  seed: number,
  options: RandomImageOptions = {},
): Promise<RandomImage> {
  const { style = 'oci', compression = 'gzip', platform = { os: 'linux', architecture: 'amd64' } } = options;
  const random = seededRandom(seed);
  const layers: LayerRef[] = [];
  for (let i = 0; i < (options.layers ?? 2); i++) {
    const tar = await randomTar(random, options.layerBytes);
    const bytes = compression === 'gzip' ? gzipSync(tar) : tar;
    layers.push({ diffId: digestOf(tar), blob: content.add(layerMediaType(compression, style), bytes) });
  }
  const config: ImageConfig = {
    os: platform.os,
    architecture: platform.architecture,
    variant: platform.variant,
    config: { Env: [`SEED=${seed}`] },
    rootfs: { type: 'layers', diff_ids: [] },
    history: [...layers.map(() => ({ created_by: 'random' })), { created_by: 'ENV', empty_layer: true }],
  };
  const image = assembleImage({ config, layers, style });
  content.add(image.config.mediaType, image.configBytes);
  content.add(image.descriptor.mediaType, image.manifestBytes);
  return { descriptor: image.descriptor, config: image.config, layers };
}

/** An index of one image a platform, and the images. */
export async function randomIndex(
  content: MemoryContent,
  seed: number,
  platforms: readonly Platform[],
  options: RandomImageOptions = {},
): Promise<{ readonly descriptor: Descriptor; readonly images: readonly RandomImage[] }> {
  const images: RandomImage[] = [];
  for (const [i, platform] of platforms.entries()) {
    images.push(await randomImage(content, seed * 100 + i, { ...options, platform }));
  }
  const index = imageIndex(
    images.map(({ descriptor }, i) => ({ ...descriptor, platform: platforms[i] })),
    { style: options.style ?? 'oci' },
  );
  content.add(index.descriptor.mediaType, index.bytes);
  return { descriptor: index.descriptor, images };
}
