import type { Digest } from '../oci/digest.js';
import type { EntryRows } from './entry-rows.js';
import type { Metadata } from './node.js';

interface EntryBase<T extends string> {
  readonly type: T;
  /** Cleaned: see `path.ts`. For a whiteout the path that it removes. */
  readonly path: string;
}

/** One entry of a layer's tar, in the order of the tar. */
export type IndexEntry =
  | (EntryBase<'file'> &
      Metadata & {
        readonly size: number;
        /** SHA-256 of the content. */
        readonly digest: Digest;
        /** Where the content begins in the uncompressed tar. */
        readonly offset: number;
      })
  | (EntryBase<'directory'> & Metadata)
  | (EntryBase<'symlink'> & Metadata & { readonly target: string })
  /** `target` is the cleaned path of the file linked to, in this layer or below. */
  | (EntryBase<'hardlink'> & { readonly target: string })
  | (EntryBase<'character' | 'block'> & Metadata & { readonly major: number; readonly minor: number })
  | (EntryBase<'fifo'> & Metadata)
  /** `.wh.NAME`: the path and all below it are gone. */
  | EntryBase<'whiteout'>
  /** `.wh..wh..opq`: what lower layers have in the folder is gone. */
  | EntryBase<'opaque'>;

/** What a layer holds, known from one pass over its bytes. */
export interface LayerIndex {
  readonly diffId: Digest;
  /** Bytes of the uncompressed tar, its end marker included. */
  readonly size: number;
  readonly entries: readonly IndexEntry[];
  /** The entries before they are made, where the index has been read. */
  readonly rows?: EntryRows | undefined;
  /** For layers packed here and compressed; absent for others. */
  readonly segments?: readonly LayerSegment[] | undefined;
}

/** A part of a layer that is compressed by itself. */
export interface LayerSegment {
  /** Where it starts in the uncompressed tar, and in the blob. */
  readonly offset: number;
  readonly blobOffset: number;
  /** CRC-32 of the uncompressed bytes. */
  readonly crc: number;
  /** Of its bytes in the blob. */
  readonly packedCrc: number;
  /** What it was made of and how: segments with one key have the same bytes. */
  readonly key: string;
}
