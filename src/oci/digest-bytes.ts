/**
 * SHA-256 as bytes, many of them one behind another: texts for each file of a large layer would be much of what it costs.
 * A digest is told by where its bytes begin.
 */
import type { Digest } from './digest.js';

export const digestBytes = 32;

export function digestAt(bytes: Uint8Array, at: number): Digest {
  return `sha256:${Buffer.from(bytes.buffer, bytes.byteOffset + at, digestBytes).toString('hex')}` as Digest;
}

/** `digest`: a SHA-256. */
export function setDigest(bytes: Uint8Array, at: number, digest: Digest): void {
  bytes.set(Buffer.from(digest.slice('sha256:'.length), 'hex'), at);
}

export function copyDigest(from: Uint8Array, fromAt: number, to: Uint8Array, toAt: number): void {
  for (let i = 0; i < digestBytes; i++) to[toAt + i] = from[fromAt + i]!;
}

export function sameDigest(a: Uint8Array, b: Uint8Array, at: number): boolean {
  for (let i = at; i < at + digestBytes; i++) if (a[i] !== b[i]) return false;
  return true;
}
