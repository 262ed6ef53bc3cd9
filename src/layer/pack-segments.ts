import { createHash, type Hash } from 'node:crypto';
import { digestAt, digestBytes, sameDigest } from '../oci/digest-bytes.js';
import type { CallOptions } from '../stream/bytes.js';
import type { FileNode } from '../tree/node.js';
import type { ContentReader } from './content-reader.js';
import { checkFileDigest } from './file-digest.js';
import { fileChanged, type HostContent, readFailure } from './host-file.js';
import { inOrder } from './in-order.js';
import type { PlannedSegment, SegmentToMake, SegmentToTake } from './plan-layer.js';
import { segmentRoom } from './segment-codec.js';
import type { SegmentCrew } from './segment-crew.js';
import type { SegmentFormat } from './segment-format.js';
import type { JobResult, PackedSegment, SegmentJob, TakeJob } from './segment-job.js';
import { rowsOfSegment, segmentKey } from './segment-key.js';
import { fillFromStore, layOut } from './segment-layout.js';
import { type FilePiece, type SegmentPart, type SegmentPlan, segmentCapacity } from './segment-plan.js';
import type { SharedBytes } from './shared-bytes.js';
import { type SpanNotes, SpanRecorder } from './span-notes.js';
import { UnusableSegment } from './unusable-segment.js';
import type { Segment } from './write-blob.js';

/** Of the buffer of a job. */
const jobCapacity = segmentRoom(segmentCapacity);

export interface PackSegmentsOptions extends CallOptions {
  readonly crew: SegmentCrew;
  readonly format: SegmentFormat;
  /** Opens the bytes of files that lie in a store. */
  readonly read: ContentReader;
  /** Segments made at the same time; never changes the bytes. By default what keeps the crew busy. */
  readonly concurrency?: number | undefined;
  /** As in `PackOptions`. */
  readonly onFile?: ((file: FileNode, digests: Uint8Array, at: number) => void) | undefined;
  /** As in `PackOptions`. */
  readonly spans?: SpanNotes | undefined;
  /** Told of each segment, in order: where it is in the tar, and what the index has of it. */
  readonly onRows?: ((offset: number, size: number, rows: string | Uint8Array) => void) | undefined;
}

/**
 * Makes the segments of a layer, in order. Reading, hashing and compressing is done by the crew, several segments at a
 * time; memory is bounded by those in flight. Every content is hashed; one that is not what its node or the plan of the
 * layer says (identity, length, digest) is an error.
 * @throws LadingError FILE_CHANGED, DIGEST_MISMATCH, CORRUPT_STREAM, IO, PATH_INVALID, INVALID_ARCHIVE
 * @throws UnusableSegment when one cannot be taken over
 */
export async function* packSegments(
  segments: Iterable<PlannedSegment> | AsyncIterable<PlannedSegment>,
  options: PackSegmentsOptions,
): AsyncGenerator<Segment> {
  const { crew, format, signal, concurrency } = options;
  const finisher = new SegmentFinisher(options);
  const start = async (segment: PlannedSegment, raw: SharedBytes, first: boolean) => {
    if ('stored' in segment)
      return { segment, result: taken(crew.run(takeJob(segment, raw, format), { alone: false })) };
    const { plan } = segment;
    const job = await segmentJob(plan, raw, options);
    return { segment, result: made(crew.run(job, { alone: first && plan.last }), plan) };
  };
  const pipeline = { limit: Math.max(1, concurrency ?? crew.capacity), capacity: jobCapacity, buffers: crew, signal };
  for await (const { started, result, release } of inOrder(segments, start, pipeline)) {
    const { segment } = started;
    const done = 'stored' in segment ? finisher.taken(segment, result) : finisher.made(segment, result);
    yield { ...done, release };
  }
}

async function segmentJob(
  plan: SegmentPlan,
  raw: SharedBytes,
  { format, read, signal }: PackSegmentsOptions,
): Promise<SegmentJob> {
  const buffer = Buffer.from(raw.buffer, raw.byteOffset, raw.length);
  const layout = layOut(plan, buffer);
  await fillFromStore(layout, buffer, read, { signal });
  const { reads, contents } = layout;
  const { compression, level } = format;
  return { kind: 'segment', raw, size: plan.size, reads, contents, compression, level };
}

function takeJob(
  { stored: { path, start, end, size, crc, packedCrc } }: SegmentToTake,
  raw: SharedBytes,
  { compression }: SegmentFormat,
): TakeJob {
  return { kind: 'take', raw, path, start, end, size, crc, packedCrc, compression };
}

async function made(running: Promise<JobResult>, plan: SegmentPlan): Promise<PackedSegment> {
  const done = await running;
  if (done.kind === 'packed') return done;
  if (done.kind !== 'failed') throw new Error(`a segment ended as ${done.kind}`);
  const hostParts = plan.parts.filter(({ content }) => content?.node.content.kind === 'host');
  throw hostFailure(done, hostParts[done.file]!.content!.node.content as HostContent);
}

async function taken(running: Promise<JobResult>): Promise<PackedSegment> {
  const done = await running;
  if (done.kind === 'packed') return done;
  throw new UnusableSegment();
}

/** What went wrong with a file, as the error that it is. */
export function hostFailure(
  { code, message }: { readonly code?: string | undefined; readonly message?: string | undefined },
  content: HostContent,
): unknown {
  if (code === undefined && message === undefined) return fileChanged(content.path);
  return readFailure(Object.assign(new Error(message), { code }), content);
}

type Finished = Omit<Segment, 'release'>;

/** What is read of a large file while its pieces go by. */
interface OpenFile {
  readonly hash: Hash;
  /** Told its digest. */
  readonly pieces: Array<(digest: Uint8Array) => void>;
}

/** Takes segments in order: checks what was read, hashes large files across their pieces, tells of files and rows. */
class SegmentFinisher {
  readonly #options: PackSegmentsOptions;
  readonly #recorder: SpanRecorder | undefined;
  #open: OpenFile | undefined;

  constructor(options: PackSegmentsOptions) {
    const { spans, format } = options;
    this.#options = options;
    this.#recorder = spans && new SpanRecorder(spans, format.recipe);
  }

  taken(
    { key, offset, stored: { size, rows } }: SegmentToTake,
    { raw, packed, crc, packedCrc }: PackedSegment,
  ): Finished {
    this.#options.onRows?.(offset, size, rows());
    return { raw: raw.subarray(0, size), packed: packed!, crc, packedCrc, key: () => key };
  }

  made({ plan, digests: planned }: SegmentToMake, done: PackedSegment): Finished {
    const { raw, packed, crc, packedCrc } = done;
    const bytes = raw.subarray(0, plan.size);
    const named = { key: '' };
    const [first] = plan.parts;
    if (first?.content !== undefined && isPiece(first.content)) {
      this.#piece(first, first.content, bytes, planned, whole => this.#name(plan, whole, named));
    } else {
      let at = 0;
      for (const { content } of plan.parts) {
        if (content === undefined) continue;
        this.#check(content, done.digests, planned, at);
        at += digestBytes;
      }
      this.#name(plan, done.digests, named);
    }
    return { raw: bytes, packed: packed ?? bytes, crc, packedCrc, key: keyOf(named) };
  }

  #name(plan: SegmentPlan, digests: Uint8Array, named: { key: string }): void {
    const { format, onRows } = this.#options;
    named.key = segmentKey(format.recipe, plan, digests);
    this.#recorder?.add(plan, named.key);
    onRows?.(plan.offset, plan.size, rowsOfSegment(plan, digests));
  }

  #piece(
    { at, header }: SegmentPart,
    content: FilePiece,
    bytes: Uint8Array,
    planned: Uint8Array | undefined,
    onDigest: (digest: Uint8Array) => void,
  ): void {
    const { node, start, length } = content;
    if (start === 0) this.#open = { hash: createHash('sha256'), pieces: [] };
    const { hash, pieces } = this.#open!;
    const from = at + (header?.size ?? 0);
    hash.update(bytes.subarray(from, from + length));
    pieces.push(onDigest);
    if (start + length < node.size) return;
    const digest = hash.digest();
    this.#check(content, digest, planned, 0);
    for (const tell of pieces) tell(digest);
    this.#open = undefined;
  }

  #check({ node }: FilePiece, digests: Uint8Array, planned: Uint8Array | undefined, at: number): void {
    if (planned !== undefined && !sameDigest(planned, digests, at)) {
      checkFileDigest({ ...node, digest: digestAt(planned, at) }, digestAt(digests, at));
    } else if (node.digest !== undefined) checkFileDigest(node, digestAt(digests, at));
    this.#options.onFile?.(node, digests, at);
  }
}

function isPiece({ node, length }: FilePiece): boolean {
  return length < node.size;
}

/** Made here, so that it holds on to nothing else of a segment: it is kept to the end of the layer. */
function keyOf(named: { readonly key: string }): () => string {
  return () => named.key;
}
