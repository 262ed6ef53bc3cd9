import { deflate as deflateInto, deflateRoom } from '../../src/layer/deflate.js';

/** What comes of bytes, in memory of its own. */
export function deflate(bytes: Uint8Array, level: number): Buffer {
  const packed = deflateInto(bytes, level, Buffer.alloc(deflateRoom(bytes.length)));
  return Buffer.from(packed.buffer, packed.byteOffset, packed.length);
}
