import { join } from 'node:path';
import type { BaseImage } from '../base-image.js';
import { lading, manifestOf } from '../peers/lading.js';
import type { Workbench } from '../workbench.js';

export interface BuiltImage {
  readonly base: BaseImage;
  readonly store: string;
  readonly name: string;
  /** For people: uncompressed and compressed. */
  readonly size: string;
}

/** The application as an image in a store, built when it is not there yet. */
export async function buildImage(bench: Workbench): Promise<BuiltImage> {
  const app = await bench.app();
  const base = await bench.base();
  const store = bench.path('transfer-store');
  const name = `${base.host}/apps/transferred:1`;
  bench.tell('building the image to transfer');
  await bench.restore(base.store, store);
  await bench.run(lading('build', '-q', '--root', store, '-t', name, app.folder));
  const { layers } = await manifestOf(bench, store, name);
  const compressed = layers.reduce((sum, { size }) => sum + size, 0);
  const bytes = base.bytes + app.bytes;
  return { base, store, name, size: `${Math.round(bytes / 1e6)} MB, ${Math.round(compressed / 1e6)} MB compressed` };
}

/** The files of the layers in the store. */
export async function layerBlobs(bench: Workbench, { store, name }: BuiltImage): Promise<string[]> {
  const { layers } = await manifestOf(bench, store, name);
  return layers.map(({ digest }) => join(store, 'blobs', digest.replace(':', '/')));
}
