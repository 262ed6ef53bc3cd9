import type { Readable } from 'node:stream';
import { FileAccess } from '../build/file-access.js';
import { getFailedCommand } from '../cache/failed-command.js';
import { LadingError } from '../errors/errors.js';
import { diffTrees } from '../layer/diff.js';
import { treeOfLayers } from '../layer/tree-of-layers.js';
import type { Store } from '../store/store.js';
import type { CallOptions } from '../stream/bytes.js';
import { lookup } from '../tree/lookup.js';
import type { DirectoryNode, TreeNode } from '../tree/node.js';
import { baseOf, sortNames } from '../tree/path.js';

/** A file as it is listed. */
export interface ListedFile {
  readonly name: string;
  readonly type: TreeNode['type'];
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of a regular file, in bytes. */
  readonly size?: number | undefined;
  /** Seconds since 1970. */
  readonly mtime: number;
  /** Of a symbolic link. */
  readonly target?: string | undefined;
}

/** What has become of a path, which starts with `/`. */
export interface FileChange {
  readonly kind: 'added' | 'changed' | 'deleted';
  readonly path: string;
}

/** The last RUN that failed in a build with `keepFailed`, and the files as it left them. */
export interface FailedFiles {
  readonly title: string;
  readonly file: string;
  readonly line: number;
  readonly exitCode: number;
  /**
   * What is in a folder, by name; of anything else itself. Links on the way are followed.
   * @throws LadingError PATH_NOT_FOUND
   */
  list(path: string): ListedFile[];
  /**
   * The bytes of a file, links followed.
   * @throws LadingError PATH_NOT_FOUND, PATH_INVALID
   */
  read(path: string, options?: CallOptions): Readable;
  /** What the command has done until it failed. */
  changes(): FileChange[];
}

/** @throws LadingError REFERENCE_NOT_FOUND when there is none */
export async function openFailedCommand(store: Store, options: CallOptions = {}): Promise<FailedFiles> {
  const failed = await getFailedCommand(store, options);
  if (failed === undefined) {
    throw new LadingError('REFERENCE_NOT_FOUND', 'no failed RUN is kept', {
      details: { reference: 'failed RUN' },
      hint: 'Build with --keep-failed.',
    });
  }
  const before = await treeOfLayers(failed.before, store, options);
  const after = await treeOfLayers([failed.layer], store, { ...options, root: before });
  const files = new FileAccess(store);
  const { title, file, line, exitCode } = failed;
  return {
    ...{ title, file, line, exitCode },
    list: path => listed(after, path),
    read: (path, call) => {
      const node = found(after, path);
      if (node.type === 'file') return files.open(node, call);
      throw new LadingError('PATH_INVALID', `${path} is a ${node.type}, and no file`, {
        details: { path, problem: `a ${node.type} where a file is needed` },
      });
    },
    changes: () => changesOf(before, after),
  };
}

function found(root: DirectoryNode, path: string): TreeNode {
  const node = lookup(root, path)?.node;
  if (node !== undefined) return node;
  throw new LadingError('PATH_NOT_FOUND', `${path} is not there`, { details: { path } });
}

function listed(root: DirectoryNode, path: string): ListedFile[] {
  const node = found(root, path);
  if (node.type !== 'directory') return [listedFile(baseOf(path), node)];
  return sortNames([...node.children.keys()]).map(name => listedFile(name, node.children.get(name)!));
}

function listedFile(name: string, node: TreeNode): ListedFile {
  const { type, mode, uid, gid, mtime } = node;
  const more = node.type === 'file' ? { size: node.size } : node.type === 'symlink' ? { target: node.target } : {};
  return { name, type, mode, uid, gid, mtime, ...more };
}

function changesOf(before: DirectoryNode, after: DirectoryNode): FileChange[] {
  return [...diffTrees(before, after)].map(entry => {
    const path = `/${entry.path}`;
    if ('whiteout' in entry) return { kind: 'deleted', path };
    return { kind: lookup(before, entry.path, { follow: false }) === undefined ? 'added' : 'changed', path };
  });
}
