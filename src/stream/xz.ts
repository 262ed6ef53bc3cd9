import { Readable } from 'node:stream';
import { LadingError } from '../errors/errors.js';
import type { Bytes } from './bytes.js';

/**
 * The bytes of an xz stream, or of several one behind the other. The one home of its decoder, which is WebAssembly and
 * is loaded when it is first needed.
 * @throws LadingError UNSUPPORTED for filters and checks that the decoder lacks; Error for data that is damaged or ends early
 */
export async function* decodeXz(content: Bytes): AsyncGenerator<Uint8Array> {
  // A CommonJS package: inside a bundle its default export is the only one.
  const { default: xz } = (await import('xz-decompress')) as unknown as { default: typeof import('xz-decompress') };
  const source = Readable.from(content, { objectMode: false });
  try {
    yield* new xz.XzReadableStream(Readable.toWeb(source) as ReadableStream<Uint8Array>);
  } catch (error) {
    if (!(error instanceof Error) || !/error code 6$/.test(error.message)) throw error;
    throw new LadingError('UNSUPPORTED', 'this xz archive uses a filter or a check that cannot be read', {
      details: { feature: 'xz with filters or SHA-256' },
      hint: 'Compress it again with "xz --check=crc64", or with gzip.',
    });
  } finally {
    source.destroy();
  }
}
