import type { Digest } from '../oci/digest.js';
import { digestAt, digestBytes } from '../oci/digest-bytes.js';
import type { CallOptions } from '../stream/bytes.js';
import type { FileNode } from '../tree/node.js';
import type { HostContent } from './host-file.js';
import { type HostRead, hostReads } from './host-reads.js';
import { hostFailure } from './pack-segments.js';
import type { SegmentCrew } from './segment-crew.js';
import { type SharedBytes, sharedBytes } from './shared-bytes.js';

/** A file of this machine. */
export type HostFile = Pick<FileNode, 'size'> & { readonly content: HostContent };

/** What one job hashes: enough bytes, or enough files, that handing it to a thread does not count. */
const batchBytes = 4 * 1024 * 1024;
const batchFiles = 500;
const bufferBytes = 1024 * 1024;

/**
 * SHA-256 of files of this machine, in their order, by as many threads as there are.
 * @throws LadingError FILE_CHANGED, IO
 */
export async function hashFiles(
  files: readonly HostFile[],
  crew: SegmentCrew,
  { signal }: CallOptions = {},
): Promise<Digest[]> {
  const batches = batched(files);
  const digests: Array<readonly Digest[]> = [];
  const underWay = new Set<Promise<void>>();
  const idle: SharedBytes[] = [];
  const work = async (batch: readonly HostFile[], place: number): Promise<void> => {
    const raw = idle.pop() ?? sharedBytes(bufferBytes);
    const reads = batch.map(({ content, size }): HostRead => ({ content, at: 0, length: size, start: 0 }));
    const result = await crew.run({ kind: 'hash', raw, reads: hostReads(reads) }, { alone: batches.length === 1 });
    idle.push(result.raw);
    if (result.kind === 'failed') throw hostFailure(result, batch[result.file]!.content);
    if (result.kind !== 'hashed') throw new Error(`hashing ended as ${result.kind}`);
    digests[place] = batch.map((_, i) => digestAt(result.digests, i * digestBytes));
  };
  try {
    for (const [place, batch] of batches.entries()) {
      signal?.throwIfAborted();
      const started = work(batch, place).finally(() => underWay.delete(started));
      underWay.add(started);
      if (underWay.size >= crew.capacity) await Promise.race(underWay);
    }
    await Promise.all(underWay);
  } finally {
    await Promise.allSettled(underWay);
  }
  return digests.flat();
}

function batched(files: readonly HostFile[]): HostFile[][] {
  const batches: HostFile[][] = [];
  let bytes = 0;
  for (const file of files) {
    const batch = batches.at(-1);
    if (batch === undefined || bytes + file.size > batchBytes || batch.length >= batchFiles) {
      batches.push([file]);
      bytes = file.size;
    } else {
      batch.push(file);
      bytes += file.size;
    }
  }
  return batches;
}
