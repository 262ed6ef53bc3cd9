import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type BuildImageOptions, type BuildImageResult, buildImage } from '../../src/api/build-image.js';
import { layersOfImage } from '../../src/build/stage-files.js';
import { openImage } from '../../src/image/image.js';
import { validateImage } from '../../src/image/validate.js';
import { treeOfLayers } from '../../src/layer/tree-of-layers.js';
import type { ImageConfig } from '../../src/oci/config.js';
import { openStore, type Store } from '../../src/store/store.js';
import { listing } from './tree-of.js';

export const host = { os: 'linux', architecture: 'amd64' };

/** Writes files; `-> target` makes a link, a path that ends in `/` a folder. */
export function writeFiles(folder: string, files: Readonly<Record<string, string>>): string {
  for (const [path, text] of Object.entries(files)) {
    const full = join(folder, path);
    mkdirSync(path.endsWith('/') ? full : dirname(full), { recursive: true });
    if (path.endsWith('/')) continue;
    const link = /^-> (.*)$/.exec(text);
    if (link) symlinkSync(link[1]!, full);
    else writeFileSync(full, text);
  }
  return folder;
}

export interface Built extends BuildImageResult {
  readonly config: ImageConfig;
  /** The files of the image, a line each. */
  readonly files: string[];
  readonly store: Store;
}

/** Builds a context folder in a store of its own, or a given one, and checks everything an image must fulfil. */
export async function built(root: string, context: string, options: Partial<BuildImageOptions> = {}): Promise<Built> {
  const store = options.store ?? (await openStore(root));
  const result = await buildImage({ store, host, context, pull: 'never', ...options });
  await validateImage(store, result.descriptor);
  const image = await openImage(store, result.images[0]!.descriptor);
  const files = listing(await treeOfLayers(layersOfImage(image), store));
  if (options.store === undefined) await store.close();
  return { ...result, config: image.config, files, store };
}
