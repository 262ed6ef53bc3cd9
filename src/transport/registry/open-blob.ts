import { Readable } from 'node:stream';
import type { Descriptor } from '../../oci/descriptor.js';
import type { BlobPlace } from './blob-place.js';
import { type DownloadOptions, downloadBlob, requestBlob } from './download.js';
import { downloadRanges, rangesFromSize } from './download-ranges.js';

export interface OpenBlobOptions extends DownloadOptions {
  /** In how many ranges at a time a very large blob is downloaded; default 1. */
  readonly parallelRanges?: number | undefined;
}

/**
 * A blob as a stream, from `start` on. Nothing of it is checked but what `check` checks. It holds one of the
 * host's places for downloads until it has ended or is destroyed.
 */
export async function openBlob(
  place: BlobPlace,
  descriptor: Descriptor,
  start: number,
  { parallelRanges = 1, ...options }: OpenBlobOptions,
  check = (content: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> => content,
): Promise<Readable> {
  const abandoned = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, abandoned.signal]) : abandoned.signal;
  const downloading = { ...options, signal };
  const leave = await place.enter(signal);
  try {
    let content: AsyncGenerator<Uint8Array>;
    if (parallelRanges > 1 && descriptor.size - start >= rangesFromSize) {
      content = downloadRanges(place, descriptor, start, parallelRanges, downloading);
    } else {
      const part = { start, end: descriptor.size };
      const first = await requestBlob(place, descriptor, part, downloading);
      signal.addEventListener('abort', () => first.body.destroy(), { once: true });
      content = downloadBlob(place, descriptor, part, first, downloading);
    }
    return releasing(check(content), () => {
      abandoned.abort(new Error('nobody reads the blob any more'));
      leave();
    });
  } catch (error) {
    leave();
    throw error;
  }
}

/** As a stream that lets go as soon as it is destroyed: its generator hears of that only with the next bytes, if they come. */
function releasing(content: AsyncGenerator<Uint8Array>, release: () => void): Readable {
  const stream = Readable.from(content, { objectMode: false });
  const destroy = stream._destroy.bind(stream);
  stream._destroy = (error, callback) => {
    release();
    destroy(error, callback);
  };
  return stream;
}
