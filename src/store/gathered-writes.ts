import type { FileHandle } from 'node:fs/promises';
import { writePieces } from './durable.js';

const gatheredSize = 1024 * 1024;
const gatheredPieces = 256;

/** Writes what comes in small pieces to a file in large ones: each call costs, whatever it writes. */
export class GatheredWrites {
  readonly #handle: FileHandle;
  #position: number;
  #pieces: Uint8Array[] = [];
  #size = 0;

  /** Everything goes behind `position`. */
  constructor(handle: FileHandle, position: number) {
    this.#handle = handle;
    this.#position = position;
  }

  async write(piece: Uint8Array): Promise<void> {
    this.#pieces.push(piece);
    this.#size += piece.length;
    if (this.#size >= gatheredSize || this.#pieces.length >= gatheredPieces) await this.flush();
  }

  /** Writes what has been gathered so far. */
  async flush(): Promise<void> {
    const [pieces, size, position] = [this.#pieces, this.#size, this.#position];
    if (size === 0) return;
    this.#pieces = [];
    this.#size = 0;
    this.#position += size;
    await writePieces(this.#handle, pieces, position);
  }
}
