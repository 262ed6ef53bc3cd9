import { margin, tableBytes } from './codec.js';
import { segmentRoom } from './segment-codec.js';
import { segmentCapacity } from './segment-plan.js';
import type { SharedBytes } from './shared-bytes.js';
import { hasWasm, type WasmMemory, wasmMemory } from './wasm-module.js';

/** Bytes of a buffer in which any segment can be made. */
const bufferBytes = Math.ceil(segmentRoom(segmentCapacity) / 4096) * 4096;

/** Memory that the codec of one thread works on, and in it the buffers of its jobs: nothing is copied in or out. */
export class SegmentMemory {
  readonly memory: WasmMemory;
  readonly #idle: SharedBytes[] = [];

  private constructor(memory: WasmMemory, count: number) {
    this.memory = memory;
    for (let i = count - 1; i >= 0; i--) {
      this.#idle.push(new Uint8Array(memory.buffer, tableBytes + i * bufferBytes, bufferBytes));
    }
  }

  /** With room for so many buffers; none where there is no WebAssembly, or no address space for it. */
  static create(count: number): SegmentMemory | undefined {
    if (!hasWasm) return undefined;
    try {
      return new SegmentMemory(wasmMemory(tableBytes + count * bufferBytes + margin), count);
    } catch {
      return undefined;
    }
  }

  get idle(): number {
    return this.#idle.length;
  }

  /** The one used last, which is the most likely to be in a cache still. */
  lend(capacity: number): SharedBytes | undefined {
    return capacity > bufferBytes ? undefined : this.#idle.pop();
  }

  holds(raw: SharedBytes): boolean {
    return raw.buffer === this.memory.buffer;
  }

  takeBack(raw: SharedBytes): void {
    this.#idle.push(raw);
  }
}
