import type { Readable } from 'node:stream';
import type { Digest } from '../oci/digest.js';
import type { Compression } from '../oci/media-types.js';
import type { CallOptions } from '../stream/bytes.js';
import type { IndexEntry, LayerIndex } from '../tree/layer-index.js';
import type { LayerRef } from '../tree/node.js';
import type { LayerEntry } from './entry.js';
import type { HostFile } from './hash-files.js';
import type { UnpackReport, UnpackTarget } from './unpack.js';

export interface PackOptions extends CallOptions {
  readonly compression?: Compression | undefined;
  /** gzip 0 to 9, zstd 1 to 22. */
  readonly level?: number | undefined;
  /** A stored layer that may hold some of the same: what it has compressed already is not compressed again. */
  readonly similar?: LayerRef | undefined;
  /** Uncompressed bytes packed so far. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
  readonly onEntry?: OnEntry | undefined;
}

/** Told of each entry in order, when its content has been read: what the index has of it, and what it was packed from. */
export type OnEntry = (indexed: IndexEntry, entry: LayerEntry) => void;

/** Where layers are kept: written in one pass, indexed, and readable at any offset. */
export interface LayerStore {
  /** Packs entries, in the order given, into a blob. Idempotent; on an error nothing is left behind. */
  packLayer(entries: Iterable<LayerEntry>, options?: PackOptions): Promise<LayerRef>;
  /**
   * The same tar in another blob, cut and compressed without regard to what is in it.
   * @throws LadingError DIGEST_MISMATCH when the blob is not the layer that `layer` says
   */
  recompressLayer(layer: LayerRef, options?: PackOptions): Promise<LayerRef>;
  /** Writes entries below a folder, whose files may lie in layers: see `unpackEntries`. */
  unpack(entries: Iterable<LayerEntry>, root: string, options: UnpackTarget): Promise<UnpackReport>;
  /** SHA-256 of files of this machine, in their order. Fails with FILE_CHANGED, IO. */
  hashFiles(files: readonly HostFile[], options?: CallOptions): Promise<Digest[]>;
  /** The index of a stored layer, rebuilt from the blob when it is missing. */
  layerIndex(layer: LayerRef, options?: CallOptions): Promise<LayerIndex>;
  /** `length` bytes at `offset` of the uncompressed tar. */
  openRange(layer: LayerRef, offset: number, length: number, options?: CallOptions): Promise<Readable>;
}
