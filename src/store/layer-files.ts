import { mkdirSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TarRows } from '../layer/similar-layer.js';
import { type Digest, digestAlgorithm, digestHex, isDigest } from '../oci/digest.js';
import type { Compression } from '../oci/media-types.js';
import type { LayerIndex } from '../tree/layer-index.js';
import { replaceFile } from './durable.js';
import { frame, readFramed } from './framed-file.js';
import { FramedReader } from './framed-reader.js';
import { FramedWriter } from './framed-writer.js';
import { onFile } from './io-error.js';
import {
  decodeLayerIndex,
  encodeLayerIndex,
  LayerIndexEncoder,
  layerIndexKind,
  segmentRows,
} from './layer-index-codec.js';

type Segments = NonNullable<LayerIndex['segments']>;

/** What is known of a blob as a layer. */
export interface BlobLayer {
  readonly diffId: Digest;
  /** Where its segments are, when it was packed here. They belong to the blob: the same tar compresses in many ways. */
  readonly packed?: { readonly compression: Compression; readonly segments: Segments } | undefined;
}

/** The same, as it lies on the disk. */
interface Note {
  readonly diffId: string;
  readonly packed?:
    | {
        readonly compression: Compression;
        readonly segments: ReadonlyArray<
          readonly [offset: number, blobOffset: number, crc: number, packedCrc: number, key: string]
        >;
      }
    | undefined;
}

/** They are read from the disk when they are asked for. */
export interface OpenRows extends TarRows {
  /** May be called again. */
  close(): void;
}

/** An index that is written while its layer is. */
export interface IndexInTheMaking extends Pick<LayerIndexEncoder, 'add'> {
  /** Gives the index its place, and notes what it says of a blob. */
  finish(
    blob: Digest,
    index: Pick<LayerIndex, 'diffId' | 'size' | 'segments'>,
    compression: Compression | undefined,
  ): Promise<void>;
  /** Leaves nothing of it, if it has not been finished. */
  drop(): void;
}

export const blobLayerKind = 'blob-layer 4';
/** Entries held in memory, over all layers: about 150 MB. */
const cacheLimit = 500_000;

/**
 * `layers/` of the store: `<diffId>` is what a tar holds, `blobs/<digest>` says which tar a blob holds, `<diffId>.tar`
 * is a tar spooled for reading at any offset. All of it can be made again from the blobs.
 *
 * Why two files: an image says itself which diffId its blob has. Only what we have seen in the blob is believed, else
 * an image could borrow the index of another one's layer.
 */
export class LayerFiles {
  readonly #root: string;
  readonly #temporary: () => Promise<string>;
  /** Least recently used first. */
  readonly #cache = new Map<Digest, LayerIndex>();
  #cached = 0;
  readonly #notes = new Map<Digest, BlobLayer>();

  constructor(root: string, temporary: () => Promise<string>) {
    this.#root = root;
    this.#temporary = temporary;
  }

  indexPath(diffId: Digest): string {
    return join(this.#root, 'layers', digestHex(diffId));
  }

  spoolPath(diffId: Digest): string {
    return `${this.indexPath(diffId)}.tar`;
  }

  blobPath(blob: Digest): string {
    return join(this.#root, 'layers', 'blobs', `${digestAlgorithm(blob)}-${digestHex(blob)}`);
  }

  /** `undefined` when the blob has not been looked into, or what was noted is damaged. */
  async blobLayer(blob: Digest): Promise<BlobLayer | undefined> {
    const remembered = this.#notes.get(blob);
    if (remembered !== undefined) return remembered;
    const payload = await readFramed(blobLayerKind, this.blobPath(blob));
    if (payload === undefined || payload === 'damaged') return undefined;
    const { diffId, packed } = JSON.parse(payload.toString('utf8')) as Note;
    if (!isDigest(diffId)) return undefined;
    const layer: BlobLayer = packed
      ? {
          diffId,
          packed: {
            compression: packed.compression,
            segments: packed.segments.map(([offset, blobOffset, crc, packedCrc, key]) => ({
              offset,
              blobOffset,
              crc,
              packedCrc,
              key,
            })),
          },
        }
      : { diffId };
    this.#note(blob, layer);
    return layer;
  }

  /** The rows of the segments of a tar, to be closed; `undefined` when there is no index or it is damaged. */
  async segmentRows(diffId: Digest): Promise<OpenRows | undefined> {
    const file = await FramedReader.open(layerIndexKind, this.indexPath(diffId));
    let rows: TarRows | undefined;
    try {
      rows = file && segmentRows(file, diffId);
    } finally {
      if (rows === undefined) file?.close();
    }
    return rows && { ...rows, close: () => file!.close() };
  }

  /** The index of a tar, without segments; `undefined` when there is none or it is damaged. */
  async index(diffId: Digest): Promise<LayerIndex | undefined> {
    const cached = this.#cache.get(diffId);
    if (cached !== undefined) {
      this.#remember(cached);
      return cached;
    }
    const payload = await readFramed(layerIndexKind, this.indexPath(diffId));
    if (payload === undefined || payload === 'damaged') return undefined;
    const index = decodeLayerIndex(payload);
    if (index.diffId !== diffId) return undefined;
    this.#remember(index);
    return index;
  }

  /** Notes what was found in a blob: first the index, so that what names it never names nothing. */
  async save(blob: Digest, { segments, ...index }: LayerIndex, compression?: Compression): Promise<void> {
    const { diffId } = index;
    const known = await readFramed(layerIndexKind, this.indexPath(diffId));
    if (known === undefined || known === 'damaged') {
      const writer = await this.#writer();
      try {
        encodeLayerIndex(index, bytes => writer.add(bytes));
        await this.#place(writer, diffId);
      } finally {
        writer.drop();
      }
    }
    await this.#saveNote(blob, { diffId, segments }, compression);
    this.#remember(index);
  }

  /** Of one that nobody has asked for yet. It takes the place of one that is there, which may be cut in another way. */
  async make(): Promise<IndexInTheMaking> {
    const writer = await this.#writer();
    const encoder = new LayerIndexEncoder(bytes => writer.add(bytes));
    return {
      add: encoder.add.bind(encoder),
      finish: async (blob, index, compression) => {
        encoder.finish(index);
        await this.#place(writer, index.diffId);
        await this.#saveNote(blob, index, compression);
      },
      drop: () => writer.drop(),
    };
  }

  /** A path for a file in the making that {@link placeSpool} will put in its place. */
  temporary(): Promise<string> {
    return this.#temporary();
  }

  async placeSpool(temporary: string, diffId: Digest): Promise<void> {
    const path = this.spoolPath(diffId);
    await onFile(path, async () => {
      mkdirSync(dirname(path), { recursive: true });
      await rename(temporary, path);
    });
  }

  async #writer(): Promise<FramedWriter> {
    return new FramedWriter(layerIndexKind, await this.#temporary());
  }

  async #place(writer: FramedWriter, diffId: Digest): Promise<void> {
    const path = this.indexPath(diffId);
    await makeFolderOf(path);
    writer.place(path);
  }

  async #saveNote(
    blob: Digest,
    { diffId, segments }: Pick<LayerIndex, 'diffId' | 'segments'>,
    compression: Compression | undefined,
  ): Promise<void> {
    const packed = segments && compression && { compression, segments };
    const note: Note = {
      diffId,
      packed: packed && {
        compression,
        segments: segments.map(({ offset, blobOffset, crc, packedCrc, key }) => [
          offset,
          blobOffset,
          crc,
          packedCrc,
          key,
        ]),
      },
    };
    const path = this.blobPath(blob);
    await makeFolderOf(path);
    const framed = frame(blobLayerKind, [Buffer.from(JSON.stringify(note))]);
    await replaceFile(path, framed, { temporary: await this.#temporary(), durable: false });
    this.#note(blob, packed ? { diffId, packed } : { diffId });
  }

  #note(blob: Digest, layer: BlobLayer): void {
    this.#notes.set(blob, layer);
    if (this.#notes.size > 1000) this.#notes.delete(this.#notes.keys().next().value!);
  }

  #remember(index: LayerIndex): void {
    const known = this.#cache.get(index.diffId);
    if (known) this.#cached -= countOf(known);
    this.#cache.delete(index.diffId);
    this.#cache.set(index.diffId, known ?? index);
    this.#cached += countOf(known ?? index);
    for (const [diffId, each] of this.#cache) {
      if (this.#cached <= cacheLimit || diffId === index.diffId) break;
      this.#cache.delete(diffId);
      this.#cached -= countOf(each);
    }
  }
}

/** The folder may be deleted at any time; that is what it is for. */
async function makeFolderOf(path: string): Promise<void> {
  await onFile(path, async () => mkdirSync(dirname(path), { recursive: true }));
}

function countOf(index: LayerIndex): number {
  return (index.rows ?? index.entries).length;
}
