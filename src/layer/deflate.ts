import { withCodec } from './codec.js';
import { hasWasm } from './wasm-module.js';

/** Whether this Node can. */
export const canDeflate = hasWasm;

/** Room for whatever comes of so many bytes: what does not become smaller grows a little. */
export function deflateRoom(size: number): number {
  return size + (size >> 8) + 1024;
}

/**
 * Raw deflate (RFC 1951) of bytes, at a level from 0, which stores, to 9: the first bytes of `into`, which has as much room as
 * `deflateRoom` says. It begins with an empty window and ends on the border of a byte without a last block, so that the
 * results of pieces, put one behind another, are the result of the whole. It is the same on every machine and in every
 * version of Node. See `withCodec` for what is done in place.
 * @throws RangeError for more bytes than there is room for: 64 MiB at most
 */
export function deflate<B extends ArrayBufferLike>(
  bytes: Uint8Array,
  level: number,
  into: Uint8Array<B>,
): Uint8Array<B> {
  const { length } = bytes;
  const size =
    into.length < deflateRoom(length)
      ? undefined
      : withCodec(bytes, into, (codec, from, to) => codec.deflate(from, length, to, level));
  if (size === undefined) throw new RangeError(`no room to compress ${length} bytes in one piece`);
  return into.subarray(0, size);
}
