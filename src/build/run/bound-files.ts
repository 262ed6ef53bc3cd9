import { join } from 'node:path';
import { EntryRecorder } from '../../cache/entry-record.js';
import { recordKey } from '../../cache/record.js';
import { LadingError } from '../../errors/errors.js';
import { diffTrees } from '../../layer/diff.js';
import type { LayerEntry } from '../../layer/entry.js';
import { filesOf } from '../../layer/file-run.js';
import { indexEntry } from '../../layer/index-entry.js';
import type { BindMount, CacheMount } from '../../plan/run-mount.js';
import type { CallOptions } from '../../stream/bytes.js';
import { emptyDirectory } from '../../tree/editor.js';
import { lookup } from '../../tree/lookup.js';
import type { DirectoryNode, TreeNode } from '../../tree/node.js';
import type { CopySource } from '../copy-step.js';
import type { FileAccess } from '../file-access.js';
import { sourceNotFound } from '../source-not-found.js';

/** Files of the build that a command is to see. */
export interface BoundFiles {
  /** A folder with one entry, `content`: what is mounted, with its metadata. */
  readonly tree: DirectoryNode;
  /** Of all that matters of them. Times do not: a file that was only touched is the same. */
  readonly digest: string;
  /** Of the times too. */
  readonly exactDigest: string;
}

const content = 'content';

/**
 * What a mount takes from its source, links followed inside of it.
 * @throws LadingError SOURCE_NOT_FOUND
 */
export async function boundFiles(
  mount: Pick<BindMount | CacheMount, 'source'>,
  source: CopySource,
  { files, signal }: CallOptions & { readonly files: FileAccess },
): Promise<BoundFiles> {
  const path = mount.source.slice(1);
  const found = lookup(source.root, path);
  if (found === undefined) throw sourceNotFound(mount.source, path, source);
  const tree = enclosed(found.node);
  const entries = { [Symbol.iterator]: () => diffTrees(emptyDirectory(), tree) };
  await files.learnAll(filesOf(entries), { signal });
  return { tree, ...digestsOf(entries, files) };
}

function enclosed(node: TreeNode): DirectoryNode {
  return { ...emptyDirectory(), children: new Map([[content, node]]) };
}

/** Where the content is when its tree has been written to a folder. */
export function contentPath(folder: string): string {
  return join(folder, content);
}

function digestsOf(
  entries: Iterable<LayerEntry>,
  files: FileAccess,
): { readonly digest: string; readonly exactDigest: string } {
  const timeless = new EntryRecorder();
  const exact = new EntryRecorder();
  for (const entry of entries) {
    const indexed = indexEntry(entry, 0, files.knownDigest(entry)!);
    exact.add(indexed);
    timeless.add('mtime' in indexed ? { ...indexed, mtime: 0, mtimeNanoseconds: undefined } : indexed);
  }
  return { digest: recordKey(timeless.finish()), exactDigest: recordKey(exact.finish()) };
}

/** @throws LadingError PATH_INVALID for what is no folder */
export function requireFolder({ tree }: BoundFiles, mount: CacheMount): void {
  const { type } = tree.children.get(content)!;
  if (type === 'directory') return;
  throw new LadingError('PATH_INVALID', `${mount.source} is a ${type}: a cache is a folder`, {
    details: { path: mount.source, problem: `a ${type} where a folder is needed` },
  });
}
