import { createHash } from 'node:crypto';
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { ioError } from '../errors/io-error.js';
import { firstLine, lineLength } from './framed-file.js';

/** In bytes: what is more goes to the disk before the rest is there. */
const mostHeld = 1024 * 1024;

/**
 * A framed file whose payload comes in pieces, and can be more than should be in memory. It is ended by `place` or `drop`;
 * until then it lies at `temporary`, a path that nobody else uses, on the file system of what it will become.
 */
export class FramedWriter {
  readonly #kind: string;
  readonly #temporary: string;
  readonly #hash = createHash('sha256');
  #held: Uint8Array[] = [];
  #size = 0;
  #file: number | undefined;
  #made = false;
  #end = 0;

  constructor(kind: string, temporary: string) {
    this.#kind = kind;
    this.#temporary = temporary;
  }

  /** The bytes must stay as they are. @throws LadingError IO */
  add(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#held.push(bytes);
    this.#size += bytes.length;
    if (this.#size >= mostHeld) this.#onFile(() => this.#flush());
  }

  /** Gives the file its name, in place of whatever had it. @throws LadingError IO */
  place(path: string): void {
    this.#onFile(() => {
      const file = this.#flush();
      write(file, firstLine(this.#kind, this.#hash.digest('hex')), 0);
      this.#close();
      renameSync(this.#temporary, path);
      this.#made = false;
    });
  }

  /** Leaves nothing of a file that has not been placed. */
  drop(): void {
    this.#held = [];
    this.#close();
    if (this.#made) rmSync(this.#temporary, { force: true });
    this.#made = false;
  }

  /** Writes what is held, behind the room of the first line. */
  #flush(): number {
    if (this.#file === undefined) {
      this.#file = openSync(this.#temporary, 'wx', 0o644);
      this.#made = true;
      this.#end = lineLength(this.#kind);
    }
    for (const bytes of this.#held.splice(0)) {
      write(this.#file, bytes, this.#end);
      this.#end += bytes.length;
    }
    this.#size = 0;
    return this.#file;
  }

  #close(): void {
    const file = this.#file;
    this.#file = undefined;
    if (file !== undefined) closeSync(file);
  }

  #onFile(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.drop();
      throw ioError(error, this.#temporary);
    }
  }
}

function write(file: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done, position + done);
}
