import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { ifExists } from './io-error.js';

/** Bytes that are read while the others wait. */
export const turnBytes = 8 * 1024 * 1024;

/**
 * Small files of ours that can be made again: a first line with kind, version and SHA-256 of the rest, then the rest.
 * They are not flushed to the disk when they are written; the checksum is what makes that safe.
 */
export function frame(kind: string, payload: readonly Uint8Array[]): readonly Uint8Array[] {
  return [firstLine(kind, checksum(payload)), ...payload];
}

/** `checksum`: in hexadecimal. */
export function firstLine(kind: string, checksum: string): Buffer {
  return Buffer.from(`lading ${kind} ${checksum}\n`);
}

/** Bytes of the first line, whatever the checksum is. */
export function lineLength(kind: string): number {
  return firstLine(kind, '0'.repeat(64)).length;
}

/**
 * `'damaged'` says that there is a file and that it is of no use. The payload is in memory of its own, from its beginning on:
 * numbers in it can be used where they are.
 */
export async function readFramed(kind: string, path: string): Promise<Buffer<ArrayBuffer> | 'damaged' | undefined> {
  return await ifExists(path, async () => {
    const file = openSync(path, 'r');
    try {
      const line = readAt(file, 0, Buffer.allocUnsafe(lineLength(kind)));
      if (line === undefined) return 'damaged';
      const payload = Buffer.allocUnsafeSlow(fstatSync(file).size - line.length);
      for (let at = 0; at < payload.length; at += turnBytes) {
        // At once, for threads take several times as long; but others get their turn.
        if (at > 0) await setImmediate();
        if (readAt(file, line.length + at, payload.subarray(at, at + turnBytes)) === undefined) return 'damaged';
      }
      return line.equals(firstLine(kind, checksum([payload]))) ? payload : 'damaged';
    } finally {
      closeSync(file);
    }
  });
}

/** Fills the bytes with what is in a file from a place on; `undefined` when that is less. */
export function readAt(file: number, position: number, bytes: Buffer): Buffer | undefined {
  for (let done = 0; done < bytes.length; ) {
    const count = readSync(file, bytes, done, bytes.length - done, position + done);
    if (count === 0) return undefined;
    done += count;
  }
  return bytes;
}

function checksum(pieces: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}
