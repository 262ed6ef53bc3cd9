import { hash } from 'node:crypto';
import type { Digest } from '../oci/digest.js';
import { digestMismatch } from '../stream/verified.js';
import type { FileNode } from '../tree/node.js';
import { fileChanged } from './host-file.js';

export const emptyDigest = sha256(new Uint8Array(0));

export function sha256(bytes: Uint8Array): Digest {
  return `sha256:${hash('sha256', bytes, 'hex')}` as Digest;
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
