import type { Descriptor } from '../../oci/descriptor.js';
import type { BlobPart, BlobPlace } from './blob-place.js';
import { type DownloadOptions, downloadBlob, requestBlob } from './download.js';

/** Held in memory until it is its turn, for each range that is under way. */
const pieceSize = 4 * 1024 * 1024;
/** Below this the further requests cost more than they bring. */
export const rangesFromSize = 64 * 1024 * 1024;

/**
 * The rest of a blob, fetched as several ranges side by side and given out in order: some networks and storages are fast
 * only so. A registry that knows no ranges is read from end to end like any other.
 */
export async function* downloadRanges(
  place: BlobPlace,
  descriptor: Descriptor,
  start: number,
  ranges: number,
  options: DownloadOptions,
): AsyncGenerator<Uint8Array> {
  const failure = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failure.signal]) : failure.signal;
  const underWay: Array<Promise<readonly Uint8Array[]>> = [];
  let next = start;
  const take = (): BlobPart => {
    const part = { start: next, end: Math.min(next + pieceSize, descriptor.size) };
    next = part.end;
    return part;
  };
  try {
    const part = take();
    const first = await requestBlob(place, descriptor, part, { ...options, signal });
    if (first.status !== 206) {
      yield* downloadBlob(place, descriptor, { start, end: descriptor.size }, first, options);
      return;
    }
    const fetched = async (part: BlobPart, response = requestBlob(place, descriptor, part, { ...options, signal })) =>
      collect(downloadBlob(place, descriptor, part, await response, { ...options, signal }));
    const launch = (work: Promise<readonly Uint8Array[]>): void => {
      // Whichever fails is told when it is its turn; until then nobody listens.
      work.catch(() => {});
      underWay.push(work);
    };
    launch(fetched(part, Promise.resolve(first)));
    for (;;) {
      while (underWay.length < ranges && next < descriptor.size) launch(fetched(take()));
      const piece = underWay.shift();
      if (piece === undefined) return;
      yield* await piece;
    }
  } finally {
    failure.abort(new Error('nobody reads the blob any more'));
    await Promise.allSettled(underWay);
  }
}

async function collect(content: AsyncIterable<Uint8Array>): Promise<readonly Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return chunks;
}
