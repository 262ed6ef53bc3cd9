import { createHash, type Hash } from 'node:crypto';
import type { Digest } from '../oci/digest.js';
import type { CallOptions } from '../stream/bytes.js';
import type { FileNode } from '../tree/node.js';
import type { ContentReader } from './content-reader.js';
import type { LayerEntry } from './entry.js';
import { checkFileDigest, emptyDigest } from './file-digest.js';
import { fileChanged, type HostContent, readFailure } from './host-file.js';
import { inOrder } from './in-order.js';
import { indexEntry } from './index-entry.js';
import type { OnEntry } from './layer-store.js';
import type { SegmentCrew } from './segment-crew.js';
import type { SegmentFormat } from './segment-format.js';
import type { JobResult, PackedSegment, SegmentReuse } from './segment-job.js';
import { SegmentKey } from './segment-key.js';
import { fillFromStore, layOut } from './segment-layout.js';
import { planSegments, type SegmentPlan, segmentCapacity } from './segment-plan.js';
import type { SimilarLayer } from './similar-layer.js';
import type { Segment } from './write-blob.js';

export interface PackSegmentsOptions extends CallOptions {
  readonly crew: SegmentCrew;
  readonly format: SegmentFormat;
  /** Opens the bytes of files that lie in a store. */
  readonly read: ContentReader;
  readonly similar?: SimilarLayer | undefined;
  /** Segments made at the same time; never changes the bytes. By default what keeps the crew busy. */
  readonly concurrency?: number | undefined;
  readonly onEntry: OnEntry;
}

/** What is read of a large file while its pieces go by. */
interface OpenFile {
  readonly hash: Hash;
  readonly offset: number;
  readonly keys: Array<(digest: string) => void>;
}

/**
 * Makes the segments of a layer, in order. Reading, hashing and compressing is done by the crew, several segments at a
 * time; memory is bounded by those in flight. Every content is hashed; one that is not what its node says (identity,
 * length, digest) is an error.
 * @throws LadingError FILE_CHANGED, DIGEST_MISMATCH, CORRUPT_STREAM, IO, PATH_INVALID, INVALID_ARCHIVE
 */
export async function* packSegments(
  entries: Iterable<LayerEntry>,
  options: PackSegmentsOptions,
): AsyncGenerator<Segment> {
  const { crew, signal, concurrency } = options;
  const finisher = new SegmentFinisher(options.onEntry);
  const start = (plan: SegmentPlan, raw: Uint8Array<ArrayBuffer>, alone: boolean) =>
    startSegment(plan, raw, alone && plan.last, options);
  const pipeline = { limit: Math.max(1, concurrency ?? crew.capacity), capacity: segmentCapacity, signal };
  for await (const [{ plan, key }, packed] of inOrder(planSegments(entries), start, pipeline)) {
    yield finisher.finish(plan, key, packed);
  }
}

async function startSegment(
  plan: SegmentPlan,
  raw: Uint8Array<ArrayBuffer>,
  alone: boolean,
  options: PackSegmentsOptions,
) {
  const { crew, format, read, signal, similar } = options;
  const buffer = Buffer.from(raw.buffer);
  const layout = layOut(plan, buffer);
  const known = knownDigests(plan);
  const started = new SegmentKey(format.recipe, plan, layout, raw);
  const key = known === undefined ? started : started.finish(known);
  const found = typeof key === 'string' ? similar?.find(key) : undefined;
  const reuse = found && { ...found, digests: wholeDigests(plan) };
  if (reuse === undefined) await fillFromStore(layout, buffer, read, { signal });
  const { reads, contents } = layout;
  const { compression, level } = format;
  const job = { kind: 'segment', size: plan.size, reads, contents, compression, level } as const;
  const run = (raw: Uint8Array<ArrayBuffer>, reuse?: SegmentReuse): Promise<JobResult> =>
    crew.run({ ...job, raw, reuse }, { alone });
  const finish = async (): Promise<PackedSegment> => {
    let done = await run(raw, reuse);
    if (done.kind === 'unusable') {
      await fillFromStore(layout, Buffer.from(done.raw.buffer), read, { signal });
      done = await run(done.raw);
    }
    if (done.kind === 'packed') return done;
    throw failureOf(done, plan);
  };
  return { plan, key, result: finish() };
}

/** The digests of all files of a segment, or nothing when one is not known. */
function knownDigests(plan: SegmentPlan): string[] | undefined {
  const digests: string[] = [];
  for (const { content } of plan.parts) {
    if (content === undefined) continue;
    if (content.node.digest === undefined) return undefined;
    digests.push(hexOf(content.node.digest));
  }
  return digests;
}

function wholeDigests(plan: SegmentPlan): string[] {
  return plan.parts.flatMap(({ content }) =>
    content !== undefined && content.length === content.node.size ? [hexOf(content.node.digest!)] : [],
  );
}

function failureOf(result: JobResult, plan: SegmentPlan): unknown {
  if (result.kind !== 'failed') return new Error(`a segment ended as ${result.kind}`);
  const hostParts = plan.parts.filter(({ content }) => content?.node.content.kind === 'host');
  const content = hostParts[result.file]!.content!.node.content as HostContent;
  return hostFailure(result, content);
}

/** What went wrong with a file, as the error that it is. */
export function hostFailure(
  { code, message }: { readonly code?: string | undefined; readonly message?: string | undefined },
  content: HostContent,
): unknown {
  if (code === undefined && message === undefined) return fileChanged(content.path);
  return readFailure(Object.assign(new Error(message), { code }), content);
}

/** Takes segments in order: checks what was read, hashes large files across their pieces, tells of the entries. */
class SegmentFinisher {
  readonly #onEntry: OnEntry;
  #open: OpenFile | undefined;

  constructor(onEntry: OnEntry) {
    this.#onEntry = onEntry;
  }

  finish(plan: SegmentPlan, key: SegmentKey | string, done: PackedSegment): Segment {
    const raw = done.raw.subarray(0, plan.size);
    let whole = 0;
    let pieceKey: (() => string) | undefined;
    for (const { at, entry, header, content } of plan.parts) {
      const offset = plan.offset + at + (header?.size ?? 0);
      if (content === undefined) this.#onEntry(indexEntry(entry, offset, emptyDigest), entry);
      else if (content.length === content.node.size) {
        const digest = `sha256:${done.digests[whole++]}` as Digest;
        checkFileDigest(content.node, digest);
        this.#onEntry(indexEntry(entry, offset, digest), entry);
      } else {
        const from = at + (header?.size ?? 0);
        pieceKey = this.#piece(entry, content, offset, raw.subarray(from, from + content.length), key);
      }
    }
    const finished = pieceKey === undefined && typeof key !== 'string' ? key.finish(done.digests) : key;
    return {
      raw,
      packed: done.packed ?? raw,
      crc: done.crc,
      digest: done.digest,
      key: pieceKey ?? (() => finished as string),
    };
  }

  #piece(
    entry: LayerEntry,
    { node, start, length }: { readonly node: FileNode; readonly start: number; readonly length: number },
    offset: number,
    bytes: Uint8Array,
    key: SegmentKey | string,
  ): () => string {
    if (start === 0) this.#open = { hash: createHash('sha256'), offset, keys: [] };
    const open = this.#open!;
    open.hash.update(bytes);
    let finished = typeof key === 'string' ? key : '';
    if (typeof key !== 'string') open.keys.push(digest => (finished = key.finish([digest])));
    if (start + length === node.size) {
      const digest = `sha256:${open.hash.digest('hex')}` as Digest;
      checkFileDigest(node, digest);
      for (const finish of open.keys) finish(hexOf(digest));
      this.#onEntry(indexEntry(entry, open.offset, digest), entry);
      this.#open = undefined;
    }
    return () => finished;
  }
}

function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}
