import code from '../../wasm/codec.js?wasm';
import { growTo, type WasmMemory, wasmMemory, wasmModule } from './wasm-module.js';

/** See `wasm/codec.ts`: addresses and sizes. */
export interface Codec {
  tablesEnd(): number;
  /** The size of the output, or -1. */
  inflate(from: number, size: number, to: number, room: number): number;
  deflate(from: number, size: number, to: number, level: number): number;
}

/** Of each memory that a codec works on this much is its own; what is further on is free for what it works on. */
export const tableBytes = 2 * 1024 * 1024;
/** Bytes behind input and output that are looked at and written over: nobody else may have anything there. */
export const margin = 1024;
/** Far more than a segment. */
const largest = 64 * 1024 * 1024;
/** With what deflate may add to it. */
const largestOutput = largest + (largest >> 7);

/** Memory, and the codec on it, compiled when it is first used: once in each thread. */
interface Workplace {
  readonly memory: WasmMemory;
  codec?: Codec;
}

let home: Workplace | undefined;
let spare: Workplace | undefined;

/** From now on what lies in this memory is worked on in place by this thread, and by no other. */
export function workIn(memory: WasmMemory): void {
  home = { memory };
}

/**
 * Makes one of the other by `work`, which is given addresses and returns the size of what is in `to` then, or a negative
 * number; returns what it returned. Bytes that do not lie in the memory of `workIn` are copied in and out, and nothing is
 * left behind them. `undefined` when there is no room for them: for 64 MiB there is.
 */
export function withCodec(
  from: Uint8Array,
  to: Uint8Array,
  work: (codec: Codec, from: number, to: number) => number,
): number | undefined {
  if (home !== undefined && from.buffer === home.memory.buffer && to.buffer === from.buffer)
    return work(codecOf(home), from.byteOffset, to.byteOffset);
  if (from.length > largest || to.length > largestOutput) return undefined;
  const target = aligned(tableBytes + from.length + margin);
  spare ??= { memory: wasmMemory(tableBytes, tableBytes + largest + largestOutput + 3 * margin) };
  try {
    growTo(spare.memory, target + to.length + margin);
  } catch {
    return undefined;
  }
  const bytes = new Uint8Array(spare.memory.buffer);
  bytes.set(from, tableBytes);
  const size = work(codecOf(spare), tableBytes, target);
  if (size > 0) to.set(bytes.subarray(target, target + size));
  return size;
}

/** The next address where numbers of eight bytes are read at once. */
export function aligned(at: number): number {
  return Math.ceil(at / 8) * 8;
}

function codecOf(place: Workplace): Codec {
  place.codec ??= codecOn(place.memory);
  return place.codec;
}

export function codecOn(memory: WasmMemory): Codec {
  const codec = wasmModule<Codec>(code, memory);
  if (codec.tablesEnd() > tableBytes) throw new Error('the tables are larger than what is kept for them');
  return codec;
}
