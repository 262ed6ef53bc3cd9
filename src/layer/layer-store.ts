import type { Readable } from 'node:stream';
import type { Digest } from '../oci/digest.js';
import type { Compression } from '../oci/media-types.js';
import type { CallOptions } from '../stream/bytes.js';
import type { LayerIndex } from '../tree/layer-index.js';
import type { FileNode, LayerRef } from '../tree/node.js';
import type { LayerEntry } from './entry.js';
import type { LayerItem } from './file-run.js';
import type { HostFile } from './hash-files.js';
import type { KnownDigests } from './plan-layer.js';
import type { SpanNotes } from './span-notes.js';
import type { UnpackReport, UnpackTarget } from './unpack.js';

export interface PackOptions extends CallOptions {
  readonly compression?: Compression | undefined;
  /** gzip 0 to 9, zstd 1 to 22. */
  readonly level?: number | undefined;
  /** Uncompressed bytes packed so far. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
  /** Told of each file that has been read, in order, and where among digests its own begins. */
  readonly onFile?: ((file: FileNode, digests: Uint8Array, at: number) => void) | undefined;
  /** Where it is noted what has been found out of segments. */
  readonly spans?: SpanNotes | undefined;
}

export interface PlanOptions extends CallOptions, KnownDigests, Pick<PackOptions, 'compression' | 'level' | 'spans'> {
  /** A stored layer that may hold some of the same: what it has compressed already is not compressed again. */
  readonly similar?: LayerRef | undefined;
  /** Done before it is asked for digests, beside what else comes before. */
  readonly ready?: (() => Promise<void>) | undefined;
}

/** A layer that has been packed. */
export interface PackedLayer {
  readonly layer: LayerRef;
  /** What it holds and how it is packed: layers with the same are the same. In hexadecimal. */
  readonly contents: string;
  readonly segments: SegmentCounts;
}

/** How many segments of a layer were made, and how many an earlier layer had. */
export interface SegmentCounts {
  readonly made: number;
  readonly taken: number;
}

/** A layer of which everything is known but its bytes. */
export interface PlannedLayer {
  /** As of a {@link PackedLayer}. */
  readonly contents: string;
  /** As `packLayer`; to be called once at most. What is taken over may have been begun while the layer was planned. */
  pack(options?: Pick<PackOptions, 'onProgress'>): Promise<PackedLayer>;
  /** To be called in the end, whether it has been packed or not: what was begun and is not needed is given up. */
  close(): Promise<void>;
}

/** Where layers are kept: written in one pass, indexed, and readable at any offset. */
export interface LayerStore {
  /** Does what the first layer would have to wait for: whoever waits for something else before does it meanwhile. */
  readyToPack(): Promise<void>;
  /** Packs entries, in the order given, into a blob. Idempotent; on an error nothing is left behind. */
  packLayer(entries: Iterable<LayerItem>, options?: PackOptions): Promise<PackedLayer>;
  /** Finds out what a layer of these entries holds, without packing it; `undefined` when that cannot be known. */
  planLayer(entries: Iterable<LayerItem>, options: PlanOptions): Promise<PlannedLayer | undefined>;
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
