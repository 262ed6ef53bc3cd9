import type { BlobDirectory } from './blob-directory.js';
import type { LayerFiles } from './layer-files.js';
import type { LayerPacker } from './layer-packer.js';
import type { LayerShelf } from './layer-shelf.js';

/** What packs and unpacks the layers of a store: loaded when it is first needed, which most commands never do. */
export class LayerPacking {
  readonly #open: () => Promise<LayerPacker>;
  #opened: Promise<LayerPacker> | undefined;

  constructor(blobs: BlobDirectory, files: LayerFiles, shelf: LayerShelf, threads: number | undefined) {
    this.#open = async () => {
      const { LayerPacker } = await import('./layer-packer.js');
      return new LayerPacker(blobs, files, shelf, threads);
    };
  }

  packer(): Promise<LayerPacker> {
    this.#opened ??= this.#open();
    return this.#opened;
  }

  async close(): Promise<void> {
    await (await this.#opened)?.close();
  }
}
