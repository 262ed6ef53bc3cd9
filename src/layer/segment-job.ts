/**
 * What one thread does for one segment of a layer: read its files into place, hash them, compress the whole. Everything
 * here is synchronous and works on columns of numbers, so that it can be handed to a worker thread at little cost. This
 * file is bundled into the worker: it must stay small.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { digestBytes } from '../oci/digest-bytes.js';
import type { Compression } from '../oci/media-types.js';
import { hashInto } from './file-digest.js';
import { type HostReads, hashHostFiles, type ReadFailure, readHostFiles } from './host-reads.js';
import { compressSegment, inflateSegment, packedAt } from './segment-codec.js';
import type { SharedBytes } from './shared-bytes.js';
import { runWrites, type WriteJob } from './write-job.js';

/** A segment to be made. Nobody else uses the buffer until it comes back with the result. */
export interface SegmentJob {
  readonly kind: 'segment';
  /**
   * Has room for the segment, and behind it for what is packed of it (see `segmentRoom`); in place are the headers, and the
   * contents that are no files of this machine.
   */
  readonly raw: SharedBytes;
  readonly size: number;
  readonly reads: HostReads;
  /** Pairs of offset and length: whole contents of files, to be hashed. */
  readonly contents: Float64Array;
  readonly compression: Compression;
  readonly level: number;
}

/** A segment to be taken over from a layer packed before. */
export interface TakeJob {
  readonly kind: 'take';
  /** As in `SegmentJob`. */
  readonly raw: SharedBytes;
  /** Blob of the layer, and where in it the segment is. */
  readonly path: string;
  readonly start: number;
  readonly end: number;
  /** Bytes of the segment, uncompressed, and their CRC-32. */
  readonly size: number;
  readonly crc: number;
  /** CRC-32 of what is there: what was written under the key that the segment has. */
  readonly packedCrc: number;
  readonly compression: Compression;
}

/** Files to be hashed. */
export interface HashJob {
  readonly kind: 'hash';
  /** What they are read through. */
  readonly raw: SharedBytes;
  readonly reads: HostReads;
}

export type Job = SegmentJob | TakeJob | HashJob | WriteJob;

interface Answer {
  readonly raw: SharedBytes;
}

export interface PackedSegment extends Answer {
  readonly kind: 'packed';
  /** What goes into the blob, behind the segment in its buffer; absent without compression, when it is the segment itself. */
  readonly packed?: SharedBytes | undefined;
  /** SHA-256 of each of `contents`, one behind another; none of a segment that is taken over. */
  readonly digests: Uint8Array;
  readonly crc: number;
  /** Of `packed`; 0 without compression, when nothing is taken over. */
  readonly packedCrc: number;
}

export interface Hashed extends Answer {
  readonly kind: 'hashed';
  /** One behind another. */
  readonly digests: Uint8Array;
}

/** All files are there. */
export interface Written extends Answer {
  readonly kind: 'written';
}

/** What was to be taken over is not there or not what it was. */
interface Unusable extends Answer {
  readonly kind: 'unusable';
}

interface Failed extends Answer, ReadFailure {
  readonly kind: 'failed';
}

export type JobResult = PackedSegment | Hashed | Written | Unusable | Failed;

const noDigests = new Uint8Array(0);

export function runJob(job: Job): JobResult {
  const { raw } = job;
  if (job.kind === 'write') {
    const failure = runWrites(job);
    return failure === undefined ? { kind: 'written', raw } : { kind: 'failed', raw, ...failure };
  }
  if (job.kind === 'take') return takenSegment(job);
  if (job.kind === 'hash') {
    const digests = hashHostFiles(job.reads, raw);
    return digests instanceof Uint8Array ? { kind: 'hashed', raw, digests } : { kind: 'failed', raw, ...digests };
  }
  const failure = readHostFiles(job.reads, raw);
  if (failure !== undefined) return { kind: 'failed', raw, ...failure };
  const bytes = raw.subarray(0, job.size);
  const digests = digestsOf(raw, job.contents);
  const packed = compressSegment(bytes, job.compression, job.level, raw.subarray(packedAt(job.size)));
  const answer = { kind: 'packed', raw, digests, crc: crc32(bytes) } as const;
  if (packed === undefined) return { ...answer, packedCrc: 0 };
  return { ...answer, packed, packedCrc: crc32(packed) };
}

/**
 * Takes the compressed bytes as they are, when they are what was written there. They are inflated for the tar to be hashed:
 * what they hold needs no other check. The checksum is against disks that forget, as gzip has it: whoever can write into a
 * store can write what he likes.
 */
function takenSegment({ raw, path, start, end, size, crc, packedCrc, compression }: TakeJob): JobResult {
  const unusable = { kind: 'unusable', raw } as const;
  const packed = readRange(path, start, raw.subarray(packedAt(size), packedAt(size) + end - start));
  if (packed?.length !== end - start || compression === 'none' || crc32(packed) !== packedCrc) return unusable;
  if (!inflateSegment(packed, compression, raw.subarray(0, size))) return unusable;
  return { kind: 'packed', raw, packed, digests: noDigests, crc, packedCrc };
}

/** Fills the bytes with what is in the file from `start` on. */
function readRange(path: string, start: number, bytes: SharedBytes): SharedBytes | undefined {
  try {
    const fd = openSync(path, 'r');
    try {
      for (let done = 0; done < bytes.length; ) {
        const count = readSync(fd, bytes, done, bytes.length - done, start + done);
        if (count === 0) return undefined;
        done += count;
      }
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
  return bytes;
}

function digestsOf(bytes: Uint8Array, contents: Float64Array): Uint8Array {
  const count = contents.length / 2;
  const digests = new Uint8Array(count * digestBytes);
  for (let place = 0; place < count; place++) {
    const at = contents[2 * place]!;
    hashInto(digests, place * digestBytes, bytes.subarray(at, at + contents[2 * place + 1]!));
  }
  return digests;
}
