import { hash } from 'node:crypto';

/**
 * Where keys are written to be hashed: one at a time, from `beginKey` to `endKey`. Texts of all entries of a layer would be
 * mostly garbage.
 */
let bytes = Buffer.alloc(256 * 1024);
let view = new DataView(bytes.buffer, bytes.byteOffset);
let at = 0;

export function beginKey(): void {
  at = 0;
}

/** SHA-256 of what has been written since it was begun, in hexadecimal. */
export function endKey(): string {
  return hash('sha256', bytes.subarray(0, at), 'hex');
}

export function writeNumbers(a: number, b: number, c: number): void {
  need(24);
  view.setFloat64(at, a);
  view.setFloat64(at + 8, b);
  view.setFloat64(at + 16, c);
  at += 24;
}

/** Begins with the length, so that no other texts give the same bytes; in two pieces, where that spares putting them together. */
export function writeText(text: string, rest = ''): void {
  const length = text.length + rest.length;
  need(8 + 3 * length);
  view.setFloat64(at, length);
  at += 8;
  writeUnits(text);
  writeUnits(rest);
}

/** So many as always: nothing says how many. */
export function writeBytes(from: Uint8Array, start: number, length: number): void {
  need(length);
  for (let i = 0; i < length; i++) bytes[at + i] = from[start + i]!;
  at += length;
}

/** Words of a table, likewise. */
export function writeWords(from: Int32Array, start: number, count: number): void {
  need(4 * count);
  for (let i = 0; i < count; i++) view.setInt32(at + 4 * i, from[start + i]!);
  at += 4 * count;
}

function writeUnits(text: string): void {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) {
      bytes[at++] = 0x80 | (code >> 14);
      bytes[at++] = (code >> 7) & 0x7f;
      bytes[at++] = code & 0x7f;
    } else bytes[at++] = code;
  }
}

function need(room: number): void {
  if (at + room <= bytes.length) return;
  const larger = Buffer.alloc(2 * (at + room));
  larger.set(bytes.subarray(0, at));
  bytes = larger;
  view = new DataView(bytes.buffer, bytes.byteOffset);
}
