import { createHash } from 'node:crypto';
import { writeSync } from 'node:fs';
import type { Digest } from '../oci/digest.js';
import type { CallOptions } from '../stream/bytes.js';
import type { FileNode } from '../tree/node.js';
import type { ContentReader } from './content-reader.js';
import { openFile } from './file-cursor.js';
import { checkFileDigest, emptyDigest, sha256 } from './file-digest.js';

const pieceSize = 1024 * 1024;

/**
 * Writes a file's content to an open descriptor.
 * @throws LadingError FILE_CHANGED, DIGEST_MISMATCH, CORRUPT_STREAM, IO
 */
export async function copyFileContent(
  node: FileNode,
  fd: number,
  options: CallOptions & { readonly read: ContentReader },
): Promise<void> {
  const { size } = node;
  if (size === 0) {
    checkFileDigest(node, emptyDigest);
    return;
  }
  const { signal } = options;
  const cursor = await openFile(node, options.read, { signal });
  try {
    const buffer = Buffer.allocUnsafe(Math.min(size, pieceSize));
    const whole = size <= pieceSize;
    const hash = whole ? undefined : createHash('sha256');
    let digest: Digest | undefined;
    for (let start = 0; start < size; start += pieceSize) {
      signal?.throwIfAborted();
      const piece = buffer.subarray(0, Math.min(pieceSize, size - start));
      await cursor.read(piece, 0, piece.length);
      hash?.update(piece);
      if (whole) digest = sha256(piece);
      writeAll(fd, piece);
    }
    await cursor.finish();
    checkFileDigest(node, digest ?? (`sha256:${hash!.digest('hex')}` as Digest));
  } finally {
    cursor.close();
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done);
}
