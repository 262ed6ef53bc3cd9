import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { ifExists } from './io-error.js';

/**
 * Small files of ours that can be made again: a first line with kind, version and SHA-256 of the rest, then the rest.
 * They are not flushed to the disk when they are written; the checksum is what makes that safe.
 */
export function frame(kind: string, payload: readonly Uint8Array[]): readonly Uint8Array[] {
  return [firstLine(kind, checksum(payload)), ...payload];
}

/** As long for any checksum; that is in hexadecimal. */
export function firstLine(kind: string, checksum: string): Buffer {
  return Buffer.from(`lading ${kind} ${checksum}\n`);
}

/** The payload of a framed file; `undefined` when it is of another kind or version, cut or changed. */
export function unframe(kind: string, bytes: Buffer): Buffer | undefined {
  const end = bytes.indexOf(0x0a);
  if (end < 0 || end > 200) return undefined;
  const payload = bytes.subarray(end + 1);
  return firstLine(kind, checksum([payload])).equals(bytes.subarray(0, end + 1)) ? payload : undefined;
}

/** `'damaged'` says that there is a file and that it is of no use. */
export async function readFramed(kind: string, path: string): Promise<Buffer | 'damaged' | undefined> {
  const bytes = await ifExists(path, async () => readSmall(path) ?? (await readFile(path)));
  return bytes === undefined ? undefined : (unframe(kind, bytes) ?? 'damaged');
}

/** In bytes. Through threads, reading less takes several times as long as it does at once. */
const small = 8 * 1024 * 1024;

function readSmall(path: string): Buffer | undefined {
  const file = openSync(path, 'r');
  try {
    return fstatSync(file).size > small ? undefined : readFileSync(file);
  } finally {
    closeSync(file);
  }
}

function checksum(pieces: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}
