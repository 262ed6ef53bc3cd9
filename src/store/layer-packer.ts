import { contentReader } from '../layer/content-reader.js';
import type { LayerEntry } from '../layer/entry.js';
import type { LayerItem } from '../layer/file-run.js';
import { type HostFile, hashFiles } from '../layer/hash-files.js';
import type { PackedLayer, PackOptions, PlannedLayer, PlanOptions } from '../layer/layer-store.js';
import { packLayer } from '../layer/pack.js';
import { type LayerPlan, type PlannedSegment, planLayer, unplanned } from '../layer/plan-layer.js';
import { recompress } from '../layer/recompress.js';
import { SegmentCrew } from '../layer/segment-crew.js';
import { SegmentFeed } from '../layer/segment-feed.js';
import { segmentFormat } from '../layer/segment-format.js';
import { type UnpackReport, type UnpackTarget, unpackEntries } from '../layer/unpack.js';
import { UnusableSegment } from '../layer/unusable-segment.js';
import type { TarPieces } from '../layer/write-layer-files.js';
import type { Digest } from '../oci/digest.js';
import { compressionOf } from '../oci/media-types.js';
import type { CallOptions } from '../stream/bytes.js';
import { digestMismatch } from '../stream/verified.js';
import type { LayerRef } from '../tree/node.js';
import type { BlobDirectory } from './blob-directory.js';
import type { LayerFiles, OpenRows } from './layer-files.js';
import type { LayerShelf } from './layer-shelf.js';
import { uncompressed } from './layer-tap.js';

/** Bytes of a layer from which on threads are started before it is known what can be taken over from it. */
const muchToTake = 16 * 1024 * 1024;

/** Does work that writes, as everything that writes is done. */
type Writing = <T>(work: () => Promise<T>) => Promise<T>;

/** Writes layers into the store, and files of layers into folders. Its threads start with the first layer that is worth it, and end with `close`. */
export class LayerPacker {
  readonly #blobs: BlobDirectory;
  readonly #files: LayerFiles;
  readonly #shelf: LayerShelf;
  readonly #crew: SegmentCrew;
  /** A layer is being packed that nobody has asked for yet: one keeps everyone busy. */
  #ahead = false;

  constructor(blobs: BlobDirectory, files: LayerFiles, shelf: LayerShelf, threads: number | undefined) {
    this.#blobs = blobs;
    this.#files = files;
    this.#shelf = shelf;
    this.#crew = new SegmentCrew(threads);
  }

  pack(entries: Iterable<LayerItem>, options: PackOptions): Promise<PackedLayer> {
    return this.#pack(unplanned(entries), options);
  }

  /** With how it is packed: if a segment cannot be taken over after all, with none that is. */
  async plan(
    entries: Iterable<LayerItem>,
    { similar, compression = 'gzip', level, ready, writing, ...options }: PlanOptions & { readonly writing: Writing },
  ): Promise<PlannedLayer | undefined> {
    const { recipe } = segmentFormat(compression, level);
    if (similar !== undefined && similar.blob.size >= muchToTake) this.#crew.startTaking();
    const opening = similar && this.#shelf.similar(similar);
    const [opened, readied] = await Promise.allSettled([opening, ready?.()]);
    const stored = opened.status === 'fulfilled' ? opened.value : undefined;
    const { signal } = options;
    let onProgress: PackOptions['onProgress'];
    const packing = { compression, level, signal, onProgress: (bytes: number) => onProgress?.(bytes) };
    const feed = new SegmentFeed();
    let ahead: Promise<PackedLayer> | undefined;
    const begin = (): Promise<PackedLayer> => {
      ahead ??= writing(() => this.#pack(feed, packing, stored));
      // It is awaited when the layer is wanted.
      ahead.catch(() => {});
      return ahead;
    };
    const onSegment = (segment: PlannedSegment): void => {
      feed.tell(segment);
      if (!('stored' in segment) || this.#ahead) return;
      this.#ahead = true;
      begin().then(done, done);
    };
    const done = (): void => {
      this.#ahead = false;
    };
    const close = async (): Promise<void> => {
      feed.fail(new Error('the layer is not wanted'));
      await ahead?.catch(() => {});
      stored?.close();
    };
    let plan: LayerPlan | undefined;
    try {
      for (const each of [opened, readied]) if (each.status === 'rejected') throw each.reason;
      plan = await planLayer(entries, { ...options, recipe, similar: stored, onSegment });
    } catch (error) {
      await close();
      throw error;
    }
    if (plan === undefined) {
      await close();
      return undefined;
    }
    const { contents, segments, anew } = plan;
    const pack: PlannedLayer['pack'] = async options => {
      onProgress = options?.onProgress;
      feed.finish(segments());
      try {
        return await begin();
      } catch (error) {
        if (error instanceof UnusableSegment) return await writing(() => this.#pack(anew(), packing));
        throw error;
      }
    };
    return { contents, pack, close };
  }

  /**
   * Keeps nothing of the entries: of most layers nobody asks for the index in the same build. `source`: what segments are
   * taken from, closed when they have been; not every system gives the name of a file that is open to another.
   */
  async #pack(
    planned: Iterable<PlannedSegment> | AsyncIterable<PlannedSegment>,
    options: PackOptions,
    source?: Pick<OpenRows, 'close'>,
  ): Promise<PackedLayer> {
    const read = contentReader(this.#shelf);
    const index = await this.#files.make();
    const onRows = index.add;
    const counts = { made: 0, taken: 0 };
    async function* counted(): AsyncGenerator<PlannedSegment> {
      for await (const segment of planned) {
        counts['stored' in segment ? 'taken' : 'made'] += 1;
        yield segment;
      }
    }
    try {
      const { diffId, blob, tarSize, segments, contents } = await this.#blobs.write(async write => {
        const packed = await packLayer(counted(), { write }, { ...options, crew: this.#crew, read, onRows });
        return { ...packed, tarSize: packed.size, digest: packed.blob.digest, size: packed.blob.size };
      });
      source?.close();
      await index.finish(blob.digest, { diffId, size: tarSize, segments }, compressionOf(blob.mediaType));
      return { layer: { diffId, blob }, contents, segments: counts };
    } finally {
      index.drop();
    }
  }

  /** @throws LadingError DIGEST_MISMATCH when the blob is not the layer that `layer` says */
  async recompress(layer: LayerRef, options: PackOptions): Promise<LayerRef> {
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
