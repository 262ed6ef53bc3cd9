import { contentReader } from '../layer/content-reader.js';
import type { LayerEntry } from '../layer/entry.js';
import { type HostFile, hashFiles } from '../layer/hash-files.js';
import type { OnEntry, PackOptions } from '../layer/layer-store.js';
import { packLayer } from '../layer/pack.js';
import { recompress } from '../layer/recompress.js';
import { SegmentCrew } from '../layer/segment-crew.js';
import { type UnpackReport, type UnpackTarget, unpackEntries } from '../layer/unpack.js';
import type { TarPieces } from '../layer/write-layer-files.js';
import type { Digest } from '../oci/digest.js';
import { compressionOf } from '../oci/media-types.js';
import type { CallOptions } from '../stream/bytes.js';
import { digestMismatch } from '../stream/verified.js';
import type { LayerRef } from '../tree/node.js';
import type { BlobDirectory } from './blob-directory.js';
import type { LayerFiles } from './layer-files.js';
import { LayerIndexEncoder } from './layer-index-codec.js';
import type { LayerShelf } from './layer-shelf.js';
import { uncompressed } from './layer-tap.js';

/** Writes layers into the store, and files of layers into folders. Its threads start with the first layer that is worth it, and end with `close`. */
export class LayerPacker {
  readonly #blobs: BlobDirectory;
  readonly #files: LayerFiles;
  readonly #shelf: LayerShelf;
  readonly #crew: SegmentCrew;

  constructor(blobs: BlobDirectory, files: LayerFiles, shelf: LayerShelf, threads: number | undefined) {
    this.#blobs = blobs;
    this.#files = files;
    this.#shelf = shelf;
    this.#crew = new SegmentCrew(threads);
  }

  /** Keeps nothing of the entries but their index, encoded: of most layers nobody asks for it in the same build. */
  async pack(entries: Iterable<LayerEntry>, { similar, ...options }: PackOptions): Promise<LayerRef> {
    const reused = similar && (await this.#shelf.similar(similar));
    const read = contentReader(this.#shelf);
    const encoder = new LayerIndexEncoder();
    const onEntry: OnEntry = (indexed, entry) => {
      encoder.add(indexed);
      options.onEntry?.(indexed, entry);
    };
    const { diffId, blob, tarSize, segments } = await this.#blobs.write(async write => {
      const packing = { ...options, crew: this.#crew, similar: reused, read, onEntry };
      const packed = await packLayer(entries, { write }, packing);
      return { ...packed, tarSize: packed.size, digest: packed.blob.digest, size: packed.blob.size };
    });
    const encoded = (): readonly Uint8Array[] => encoder.finish({ diffId, size: tarSize });
    await this.#files.saveEncoded(blob.digest, { diffId, segments, encoded }, compressionOf(blob.mediaType));
    return { diffId, blob };
  }

  /** @throws LadingError DIGEST_MISMATCH when the blob is not the layer that `layer` says */
  async recompress(layer: LayerRef, { similar: _, ...options }: PackOptions): Promise<LayerRef> {
    const index = await this.#shelf.index(layer, options);
    const { blob, segments } = await this.#blobs.write(async write => {
      const stored = await this.#blobs.open(layer.blob, options);
      const content = uncompressed(stored, `the layer ${layer.diffId}`);
      const result = await recompress(content, { write }, { ...options, crew: this.#crew });
      if (result.diffId !== layer.diffId) throw digestMismatch(layer.diffId, result.diffId);
      return { ...result, digest: result.blob.digest, size: result.blob.size };
    });
    await this.#files.save(blob.digest, { ...index, segments }, compressionOf(blob.mediaType));
    return { diffId: layer.diffId, blob };
  }

  unpack(entries: Iterable<LayerEntry>, root: string, target: UnpackTarget): Promise<UnpackReport> {
    const pieces: TarPieces = (layer, ranges, options) => this.#shelf.pieces(layer, ranges, options);
    return unpackEntries(entries, root, { ...target, read: contentReader(this.#shelf), pieces, crew: this.#crew });
  }

  hashFiles(files: readonly HostFile[], options?: CallOptions): Promise<Digest[]> {
    return hashFiles(files, this.#crew, options);
  }

  close(): Promise<void> {
    return this.#crew.close();
  }
}
