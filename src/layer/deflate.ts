import code from '../../wasm/deflate.js?wasm';
import { hasWasm, wasmModule } from './wasm-module.js';

/** See `wasm/deflate.ts`. */
interface Deflate {
  readonly memory: { readonly buffer: ArrayBuffer };
  reserve(size: number): number;
  outputOf(size: number): number;
  deflate(size: number, level: number): number;
}

/** Whether this Node can. */
export const canDeflate = hasWasm;

let instance: Deflate | undefined;

/**
 * Raw deflate (RFC 1951) of bytes, at a level from 0, which stores, to 9: in memory that the next call uses again. It begins
 * with an empty window and ends on the border of a byte without a last block, so that the results of pieces, put one behind
 * another, are the result of the whole. It is the same on every machine and in every version of Node.
 *
 * Compiled when it is first used, once in each thread. The memory grows to what the largest piece takes.
 * @throws RangeError for more bytes than there is room for: 64 MiB at most
 */
export function deflate(bytes: Uint8Array, level: number): Uint8Array<ArrayBuffer> {
  instance ??= wasmModule<Deflate>(code);
  const { length } = bytes;
  const at = instance.reserve(length);
  if (at === 0) throw new RangeError(`no room to compress ${length} bytes in one piece`);
  new Uint8Array(instance.memory.buffer).set(bytes, at);
  const size = instance.deflate(length, level);
  return new Uint8Array(instance.memory.buffer, instance.outputOf(length), size);
}
