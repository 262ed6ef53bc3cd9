import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { firstLine, lineLength, readAt, turnBytes } from './framed-file.js';
import { ifExists } from './io-error.js';

/** Bytes that are checked at a time. */
const pieceBytes = 1024 * 1024;

/** The payload of a framed file that can be more than should be in memory. It is what it was when it was opened, whatever gets its name. */
export class FramedReader {
  /** Bytes. */
  readonly size: number;
  #file: number | undefined;
  readonly #start: number;

  private constructor(file: number, start: number, end: number) {
    this.#file = file;
    this.#start = start;
    this.size = end - start;
  }

  /** `undefined` when there is none, or it is of no use: see `readFramed`. Else it is to be closed. */
  static async open(kind: string, path: string): Promise<FramedReader | undefined> {
    return await ifExists(path, async () => {
      const file = openSync(path, 'r');
      let reader: FramedReader | undefined;
      try {
        const start = lineLength(kind);
        const { size } = fstatSync(file);
        if (size < start) return undefined;
        const found = new FramedReader(file, start, size);
        const line = readAt(file, 0, Buffer.allocUnsafe(start));
        if (line?.equals(firstLine(kind, await found.#checksum(file)))) reader = found;
      } finally {
        if (reader === undefined) closeSync(file);
      }
      return reader;
    });
  }

  /** `undefined` when they cannot be read any more. */
  read(at: number, length: number): Buffer | undefined {
    if (this.#file === undefined) return undefined;
    try {
      return readAt(this.#file, this.#start + at, Buffer.allocUnsafeSlow(length));
    } catch {
      return undefined;
    }
  }

  /** May be called again. */
  close(): void {
    const file = this.#file;
    this.#file = undefined;
    if (file !== undefined) closeSync(file);
  }

  async #checksum(file: number): Promise<string> {
    const hash = createHash('sha256');
    const piece = Buffer.allocUnsafeSlow(Math.min(pieceBytes, this.size));
    for (let at = 0; at < this.size; at += piece.length) {
      if (at > 0 && at % turnBytes === 0) await setImmediate();
      const read = readAt(file, this.#start + at, piece.subarray(0, this.size - at));
      if (read === undefined) break;
      hash.update(read);
    }
    return hash.digest('hex');
  }
}
