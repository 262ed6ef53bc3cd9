import { hash } from 'node:crypto';
import type { Digest } from '../oci/digest.js';
import { digestMismatch } from '../stream/verified.js';
import type { FileNode } from '../tree/node.js';
import { fileChanged } from './host-file.js';

export const emptyDigest = sha256(new Uint8Array(0));

export function sha256(bytes: Uint8Array): Digest {
  return `sha256:${hash('sha256', bytes, 'hex')}` as Digest;
}

/** Puts the digest of some bytes into its place; `hash` of Node makes a text at less cost than a buffer. */
export function hashInto(digests: Uint8Array, at: number, bytes: Uint8Array): void {
  const text = hash('sha256', bytes, 'binary');
  for (let i = 0; i < text.length; i++) digests[at + i] = text.charCodeAt(i);
}

/**
 * Fails when the bytes read are not those that the node promised: step keys are made of these digests, so a layer or a
 * root directory must not hold anything else.
 * @throws LadingError FILE_CHANGED for a file on this machine, DIGEST_MISMATCH for one in a store
 */
export function checkFileDigest(node: FileNode, digest: Digest): void {
  if (node.digest === undefined || node.digest === digest) return;
  switch (node.content.kind) {
    case 'host':
      throw fileChanged(node.content.path);
    case 'layer':
    case 'blob':
      throw digestMismatch(node.digest, digest);
    case 'bytes':
      throw new Error('a node in memory has the wrong digest');
  }
}
