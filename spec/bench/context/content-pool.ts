import { randomBytes } from './random.js';
import { sourceText } from './source-text.js';

const size = 16 << 20;
const alternation = 4096;

/** Where the content of files is cut from: making bytes anew for every file would take longer than writing them. */
export interface ContentPool {
  /** Like source code: gzip makes about a quarter of it. `at` is from 0 up to 1. */
  text(length: number, at: number): Buffer;
  /** Like a picture or an archive: it stays as large as it is. */
  packed(length: number, at: number): Buffer;
  /** Like a program: text and packed bytes in turn. */
  binary(length: number, at: number): Buffer;
}

export function contentPool(): ContentPool {
  const text = sourceText(size, 1);
  const packed = randomBytes(size, 2);
  const binary = Buffer.from(text);
  for (let at = 0; at < size; at += 8 * alternation) packed.copy(binary, at, at, at + alternation);
  return { text: cutFrom(text), packed: cutFrom(packed), binary: cutFrom(binary) };
}

/** A piece longer than the pool goes through it again; the windows of compressors are far shorter than it. */
function cutFrom(pool: Buffer): (length: number, at: number) => Buffer {
  return (length, at) => {
    const start = Math.floor(at * pool.length);
    if (start + length <= pool.length) return pool.subarray(start, start + length);
    const piece = Buffer.allocUnsafe(length);
    for (let done = 0, from = start; done < length; from = 0)
      done += pool.copy(piece, done, from, from + length - done);
    return piece;
  };
}
