/**
 * The local store: an ordinary OCI image layout, and beside it what makes building fast and can be deleted without
 * losing an image: layer indexes, step records, snapshots. Any number of processes use one store at a time; whichever
 * of them is killed at whatever point, every image that was there is there, whole.
 *
 * How pruning goes together with work: every process that writes holds a lease. A blob that is written, or found and
 * counted on, gets the present time, and a prune keeps what is younger than the oldest lease of a living process. A
 * prune holds the sweep lock; whoever counts on a blob looks for that lock after touching it and waits for its end.
 *
 * This folder must not know Dockerfiles, builds or networks.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type {
  BlobFinder,
  ContentSource,
  ContentTarget,
  ContextNotes,
  RecordStore,
  StoredRecord,
  TransferNote,
} from '../content/content.js';
import type { ReferrerSource } from '../content/referrers.js';
import type { ContentStore } from '../layer/content-reader.js';
import type { LayerEntry } from '../layer/entry.js';
import type { HostFile } from '../layer/hash-files.js';
import type { LayerStore, PackOptions } from '../layer/layer-store.js';
import type { UnpackReport, UnpackTarget } from '../layer/unpack.js';
import type { Descriptor } from '../oci/descriptor.js';
import { type Digest, digestOf, isDigest } from '../oci/digest.js';
import { formatReference, parseReference } from '../oci/reference.js';
import { type Bytes, type CallOptions, inOnePiece } from '../stream/bytes.js';
import { type Lazy, lazy } from '../stream/lazy.js';
import type { LayerIndex } from '../tree/layer-index.js';
import type { LayerRef } from '../tree/node.js';
import { CacheFolders } from './cache-folders.js';
import type { CheckOptions, StoreCheck } from './check.js';
import { blobClaims } from './claim.js';
import { ContextFiles } from './context-files.js';
import { FileLock } from './file-lock.js';
import { imagesWithBlobs } from './image-blobs.js';
import { type ImageUsage, measureImages } from './image-usage.js';
import type { StoreFolder } from './inventory.js';
import { onFile } from './io-error.js';
import { LayerFiles } from './layer-files.js';
import type { LayerPacker } from './layer-packer.js';
import { LayerShelf } from './layer-shelf.js';
import { ImageLayout } from './layout.js';
import type { PruneOptions, PruneReport } from './prune.js';
import { RecordFiles } from './record-files.js';
import { resolveName } from './resolve-name.js';
import { type Lease, Session } from './session.js';
import type { StoreParts } from './store-parts.js';
import { checkStoreVersion } from './store-version.js';
import { type StoredImage, storedAtStamp, storedImage } from './stored-image.js';
import { takeBlobIn } from './take-blob-in.js';
import { Transfers, transfersFolder } from './transfers.js';
import type { StoreUsage } from './usage.js';
import { WriteAccess } from './write-access.js';

export interface StoreOptions {
  /** The clock behind {@link StoredImage.storedAt}. */
  readonly now?: (() => Date) | undefined;
  /** How long to wait for another process that changes names; 30 seconds by default. */
  readonly lockTimeoutMs?: number | undefined;
  /** Threads that read, hash and compress layers: as many as processors by default, 0 for none. No byte depends on it. */
  readonly threads?: number | undefined;
}

/**
 * Opens the store at `root`. Nothing is written before the first call that writes, and a root that is not there is an
 * empty store. Close it at the end: what it has written and nobody names can be pruned only then.
 * @throws LadingError STORE_VERSION, PATH_INVALID
 */
export async function openStore(root: string, options: StoreOptions = {}): Promise<Store> {
  await checkStoreVersion(root);
  return new Store(root, options);
}

export class Store implements ContentSource, ContentTarget, ContentStore, LayerStore, RecordStore {
  readonly root: string;
  /** What is known of files of this machine. */
  readonly notes: ContextNotes;
  readonly #parts: StoreParts;
  readonly #layout: ImageLayout;
  readonly #shelf: LayerShelf;
  /** Loaded when it is first needed, which most commands never do. */
  readonly #packer: Lazy<LayerPacker>;
  readonly #transfers: Transfers;
  readonly #writing: WriteAccess;
  readonly findBlob: BlobFinder['findBlob'] = digest => this.#layout.findBlob(digest);
  readonly referrers: ReferrerSource['referrers'] = (subject, options) => this.#layout.referrers(subject, options);

  /** Use {@link openStore}, which looks before it leaps. */
  constructor(root: string, { now = () => new Date(), lockTimeoutMs, threads }: StoreOptions) {
    this.root = root;
    const session = new Session(root);
    const sweepLock = new FileLock(join(root, 'locks', 'sweep'));
    this.#layout = new ImageLayout(root, {
      lock: new FileLock(join(root, 'locks', 'index'), lockTimeoutMs),
      temporary: () => session.temporary(),
      claim: blobClaims(session, sweepLock),
      stamp: () => storedAtStamp(now()),
      mayBeAbsent: true,
      keepReplaced: true,
    });
    this.#writing = new WriteAccess(root, this.#layout, session);
    const temporary = (): Promise<string> => this.#writing.leasedTemporary();
    const layers = new LayerFiles(root, temporary);
    this.#shelf = new LayerShelf(this.#layout.blobs, layers);
    this.#packer = lazy(async () => {
      const { LayerPacker } = await import('./layer-packer.js');
      return new LayerPacker(this.#layout.blobs, layers, this.#shelf, threads);
    });
    this.notes = new ContextFiles(root, temporary);
    this.#transfers = new Transfers(name => join(transfersFolder(root), name), temporary);
    this.#parts = { root, layout: this.#layout, layers, records: new RecordFiles(root, temporary), sweepLock };
  }

  /**
   * By name (`debian:12` means `docker.io/library/debian:12`), by digest, or by a name with a digest.
   * @throws LadingError REFERENCE_NOT_FOUND
   */
  resolve(name: string, options?: CallOptions): Promise<Descriptor> {
    return resolveName(this.#layout, name, options);
  }

  has(descriptor: Descriptor, options?: CallOptions): Promise<boolean> {
    return this.#layout.has(descriptor, options);
  }

  open(descriptor: Descriptor, options?: CallOptions): Promise<Readable> {
    return this.#layout.open(descriptor, options);
  }

  openFrom(descriptor: Descriptor, offset: number, options?: CallOptions): Promise<Readable> {
    return this.#layout.openFrom(descriptor, offset, options);
  }

  /** Makes what every call that writes needs: whoever waits for others before the first of them does it meanwhile. */
  async ready(): Promise<void> {
    await this.#writing.run(async () => {});
  }

  async put(descriptor: Descriptor, content: Bytes, options: CallOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    await this.#writing.run(() => takeBlobIn(this.#parts, this.#transfers, descriptor, content, options));
  }

  holdTransfer<T>(key: string, work: (note: TransferNote) => Promise<T>, options?: CallOptions): Promise<T> {
    return this.#writing.run(() => this.#transfers.holdNote(key, work, options));
  }

  /** Stores bytes whose digest is known only at their end: a file of the web. */
  async putStream(mediaType: string, content: Bytes, options?: CallOptions): Promise<Descriptor> {
    return { mediaType, ...(await this.#writing.run(() => this.#layout.blobs.receive(content, options))) };
  }

  /** Stores bytes that are in memory: a config, a manifest. */
  async putBytes(mediaType: string, bytes: Uint8Array, options?: CallOptions): Promise<Descriptor> {
    const descriptor: Descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
    await this.put(descriptor, inOnePiece(bytes), options);
    return descriptor;
  }

  /**
   * Names an image; an image that loses its name to it stays, without a name.
   * @throws LadingError BLOB_NOT_FOUND when the image is not here whole; INVALID_VALUE for a name that is no reference
   */
  async tag(descriptor: Descriptor, name: string, options?: CallOptions): Promise<void> {
    const { tag, digest, ...place } = parseReference(name);
    const stored = formatReference(tag === undefined ? { ...place, digest } : { ...place, tag });
    await this.#writing.run(() => this.#layout.tag(descriptor, stored, options));
  }

  /** Lists an image that has no name, so that it is not garbage. */
  async keep(descriptor: Descriptor, options?: CallOptions): Promise<void> {
    await this.#writing.run(() => this.#layout.keep(descriptor, options));
  }

  /**
   * Takes a name away, or with a digest all names of that image. What nothing names any more goes with the next prune.
   * @throws LadingError REFERENCE_NOT_FOUND
   */
  async untag(nameOrDigest: string, options?: CallOptions): Promise<void> {
    const names = new Set((await this.#layout.refs()).map(ref => ref.name));
    const asStored = names.has(nameOrDigest) || isDigest(nameOrDigest);
    const name = asStored ? nameOrDigest : formatReference(parseReference(nameOrDigest));
    await this.#writing.run(() => this.#layout.untag(name, options));
  }

  /** Every image that is listed, in no promised order. */
  async images(): Promise<StoredImage[]> {
    return Promise.all((await this.#layout.refs()).map(ref => storedImage(ref, this.#layout.blobs)));
  }

  /** What each image that is listed takes; nothing else of the store is looked at. */
  async imageUsage(options?: CallOptions): Promise<ImageUsage[]> {
    const images = await imagesWithBlobs(this.#layout, options);
    const sizes = new Map<Digest, number | undefined>();
    for (const digest of new Set(images.flatMap(({ blobs }) => [...blobs.keys()]))) {
      sizes.set(digest, (await this.#layout.blobs.stat(digest))?.size);
    }
    return measureImages(images, digest => sizes.get(digest));
  }

  async readyToPack(): Promise<void> {
    await Promise.all([this.ready(), this.#packer()]);
  }

  readonly packLayer: LayerStore['packLayer'] = (entries, options = {}) =>
    this.#writing.run(async () => (await this.#packer()).pack(entries, options));

  readonly planLayer: LayerStore['planLayer'] = async (entries, options) =>
    (await this.#packer()).plan(entries, { ...options, writing: work => this.#writing.run(work) });

  async hashFiles(files: readonly HostFile[], options?: CallOptions): Promise<Digest[]> {
    return (await this.#packer()).hashFiles(files, options);
  }

  /** Fails with PATH_INVALID, PATH_NOT_FOUND, FILE_CHANGED, DIGEST_MISMATCH, IO; what has been written then stays. */
  async unpack(entries: Iterable<LayerEntry>, root: string, options: UnpackTarget): Promise<UnpackReport> {
    return (await this.#packer()).unpack(entries, root, options);
  }

  recompressLayer(layer: LayerRef, options: PackOptions = {}): Promise<LayerRef> {
    return this.#writing.run(async () => (await this.#packer()).recompress(layer, options));
  }

  /** @throws LadingError DIGEST_MISMATCH when the blob is not the layer that `layer` says; INVALID_ARCHIVE */
  layerIndex(layer: LayerRef, options?: CallOptions): Promise<LayerIndex> {
    return this.#shelf.index(layer, options);
  }

  openRange(layer: LayerRef, offset: number, length: number, options?: CallOptions): Promise<Readable> {
    return this.#shelf.openRange(layer, offset, length, options);
  }

  openPart(blob: Descriptor, offset: number, length: number, options?: CallOptions): Promise<Readable> {
    return this.#shelf.openPart(blob, offset, length, options);
  }

  /** A record whose blobs are not all there is as good as none. What is returned keeps its blobs for this process. */
  async getRecord(key: string, options: CallOptions = {}): Promise<StoredRecord | undefined> {
    options.signal?.throwIfAborted();
    const record = await this.#parts.records.get(key);
    for (const digest of record?.blobs ?? []) {
      const file = await this.#layout.blobs.stat(digest);
      if (file === undefined || !(await this.#layout.blobs.has({ digest, size: file.size }))) return undefined;
    }
    return record;
  }

  async putRecord(key: string, record: StoredRecord, options: CallOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    await this.#writing.run(async () => {
      await this.#layout.blobs.flush();
      await this.#parts.records.put(key, record);
    });
  }

  /** Where the store is on the disk, and how much of it could go. */
  async usage(options?: CallOptions): Promise<StoreUsage> {
    return (await import('./upkeep.js')).measureStore(this.#parts, options);
  }

  /** Deletes what nothing needs; safe while other processes work. */
  async prune(options?: PruneOptions): Promise<PruneReport> {
    await this.#writing.prepare();
    return (await import('./upkeep.js')).pruneStore(this.#parts, options);
  }

  /** Reads everything and says what is wrong. */
  async check(options?: CheckOptions): Promise<StoreCheck> {
    return (await import('./upkeep.js')).checkStore(this.#parts, options);
  }

  /** Until it is released, nothing that is written or counted on from now is pruned, by whichever process. */
  lease(): Promise<Lease> {
    return this.#writing.lease();
  }

  /** The path of a folder that exists. Entries that are directly in it are what prune looks at. */
  async folder(kind: StoreFolder): Promise<string> {
    await this.#writing.prepare();
    const path = join(this.root, kind);
    await onFile(path, async () => mkdirSync(path, { recursive: true }));
    return path;
  }

  /** Folders for cache mounts. What one of them has made anew is not made anew by it again: each build has its own. */
  cacheFolders(): CacheFolders {
    return new CacheFolders(this.root, () => this.#writing.temporary());
  }

  /** A new folder for work in progress, on the file system of the store. Whoever asks removes it, at the latest `close`. */
  async workFolder(): Promise<string> {
    const path = await this.#writing.temporary();
    await onFile(path, async () => mkdirSync(path));
    return path;
  }

  /** Gives up what this store has written and nobody names. Streams that are open stay readable. */
  async close(): Promise<void> {
    await (await this.#packer.made)?.close();
    await this.#writing.close();
  }
}
