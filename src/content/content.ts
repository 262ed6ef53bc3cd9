/**
 * The seam between images and the places where they live: registries, the store, layouts, archives. Each place is a
 * {@link ContentSource}, a {@link ContentTarget} or both; `copy.ts` is the one mover between them. Nothing here knows a
 * Dockerfile, a disk or a network.
 */
import type { Readable } from 'node:stream';
import type { Descriptor } from '../oci/descriptor.js';
import type { Digest } from '../oci/digest.js';
import type { Bytes, CallOptions } from '../stream/bytes.js';

export interface ResolveOptions extends CallOptions {
  /** What the name leads to will be opened next: places that are far away then send it at once. */
  readonly toOpen?: boolean | undefined;
}

/** Where images can be read from. */
export interface ContentSource {
  /** Name (a tag or a digest, in the store a whole reference) to descriptor. Throws `REFERENCE_NOT_FOUND`. */
  resolve(name: string, options?: ResolveOptions): Promise<Descriptor>;
  has(descriptor: Descriptor, options?: CallOptions): Promise<boolean>;
  /**
   * The bytes of a blob or a manifest. Throws `BLOB_NOT_FOUND`; the stream errors with `DIGEST_MISMATCH` or
   * `SIZE_MISMATCH` rather than end on wrong bytes. The caller reads it to its end or destroys it.
   */
  open(descriptor: Descriptor, options?: CallOptions): Promise<Readable>;
}

/** Where images can be written to. */
export interface ContentTarget {
  has(descriptor: Descriptor, options?: CallOptions): Promise<boolean>;
  /**
   * Idempotent: success means "it is there now, with these bytes". Bytes that do not match the descriptor are an error
   * (`DIGEST_MISMATCH`, `SIZE_MISMATCH`) and leave nothing behind: it is here, and nowhere before, that they are checked.
   * Content that is {@link Rereadable} may be read from other places than its start, or not at all.
   */
  put(descriptor: Descriptor, content: Bytes, options?: CallOptions): Promise<void>;
  /** Points `name` at a manifest or an index that is there. */
  tag(descriptor: Descriptor, name: string, options?: CallOptions): Promise<void>;
}

/** An extra ability of a source: blobs from any place on. Nobody has checked these bytes; whoever takes them in does. */
export interface PartSource {
  openFrom(descriptor: Descriptor, offset: number, options?: CallOptions): Promise<Readable>;
}

/** An extra ability of a source: blobs from more than one place. */
export interface DoubtfulSource {
  /** What came was not what it had to be. @returns whether it comes from another place when it is asked for again */
  doubt(descriptor: Descriptor): boolean;
}

/** An extra ability of a target: take a blob over from another repository of the same registry, without bytes. */
export interface BlobMounter {
  /** `true` when the blob is there now; `false` when the registry wants the bytes after all. */
  mount(descriptor: Descriptor, from: string, options?: CallOptions): Promise<boolean>;
}

/** An extra ability of a source: know a blob by its digest alone. */
export interface BlobFinder {
  /** Throws `BLOB_NOT_FOUND`. */
  findBlob(digest: Digest, options?: CallOptions): Promise<Descriptor>;
}

/** An extra ability of a source: the repository of a registry that its blobs can be mounted from. */
export interface MountOrigin {
  readonly mountOrigin: { readonly registry: string; readonly repository: string };
}

/** What is known of an unfinished transfer, by whoever works on it. It may hold secrets. */
export interface TransferNote {
  read(): Promise<string | undefined>;
  write(text: string): Promise<void>;
  remove(): Promise<void>;
}

/** Where unfinished transfers are noted, so that another process can go on with them. */
export interface TransferJournal {
  /** Runs work while nobody else, of this or another process, works on the same transfer; waits for those that do. */
  holdTransfer<T>(key: string, work: (note: TransferNote) => Promise<T>, options?: CallOptions): Promise<T>;
}

/** A small record kept beside the images, with the blobs that it keeps alive. */
export interface StoredRecord {
  readonly body: Uint8Array;
  readonly blobs: readonly Digest[];
}

/** Where records (of steps and their layers, of files of the web) are kept, by a key of lower-case hexadecimal digits. */
export interface RecordStore {
  getRecord(key: string, options?: CallOptions): Promise<StoredRecord | undefined>;
  putRecord(key: string, record: StoredRecord, options?: CallOptions): Promise<void>;
}

/** Where notes about files outside of the store are kept; they may be gone the next time. Keys as of records. */
export interface ContextNotes {
  /** In memory of their own. */
  getNotes(key: string, options?: CallOptions): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Bytes, give or take a few; 0 when there are none. */
  notesSize(key: string): Promise<number>;
  putNotes(key: string, payload: readonly Uint8Array[], options?: CallOptions): Promise<void>;
}
