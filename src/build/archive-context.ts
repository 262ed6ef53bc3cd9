import { blockSize, fields, headerChecksum, parseNumber, signedHeaderChecksum } from '../layer/tar-fields.js';
import { emptyRoot } from '../layer/tree-of-layers.js';
import { sniffCompression } from '../stream/compression.js';
import { TreeEditor } from '../tree/editor.js';
import type { DirectoryNode, FileNode } from '../tree/node.js';
import { type ArchiveOptions, unpackArchive } from './copy/archive.js';
import { clampTo } from './copy/clamp.js';

/** How much of a file {@link isArchive} has to see. */
export const archiveHeadBytes = blockSize;

/** Whether a file that begins like this is a tar, or compressed; anything else is text, a Dockerfile. */
export function isArchive(head: Uint8Array): boolean {
  if (sniffCompression(head) !== 'none') return true;
  if (head.length < blockSize || head[0] === 0) return false;
  const stored = parseNumber(head, ...fields.checksum);
  return stored === headerChecksum(head, 0) || stored === signedHeaderChecksum(head, 0);
}

/**
 * The files of a tar as a tree, with the owners, modes and times that it names; `undefined` for what is no tar. Nothing is
 * unpacked: the nodes say where in the archive (or its uncompressed copy in the temporary folder) their bytes are.
 * @throws LadingError INVALID_ARCHIVE, UNSUPPORTED
 */
export async function archiveTree(
  file: FileNode,
  name: string,
  options: Omit<ArchiveOptions, 'clamp'>,
): Promise<DirectoryNode | undefined> {
  const editor = new TreeEditor(emptyRoot);
  const target = { editor, directory: () => '' };
  const isTar = await unpackArchive(file, name, target, { ...options, clamp: clampTo(0, 'exact') });
  return isTar ? editor.root : undefined;
}

/** The time of the newest regular file; `undefined` when there is none. */
export function newestFile(tree: DirectoryNode): number | undefined {
  let newest: number | undefined;
  const folders = [tree];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const node of folder.children.values()) {
      if (node.type === 'directory') folders.push(node);
      else if (node.type === 'file') newest = Math.max(node.mtime, newest ?? node.mtime);
    }
  }
  return newest;
}
