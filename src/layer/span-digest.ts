import { identityTimes, identityWords } from '../tree/host-identity.js';
import type { FileNode, Metadata } from '../tree/node.js';
import { joinPath } from '../tree/path.js';
import { settledFrom } from '../tree/settled.js';
import type { LayerEntry } from './entry.js';
import { entryCount, type FileRun } from './file-run.js';
import type { HostContent } from './host-file.js';
import { beginKey, endKey, writeNumbers, writeText, writeWords } from './key-bytes.js';
import type { Span } from './segment-plan.js';

/**
 * Names what entries would put into a layer by what `stat` says of their files, without a node for each: with the same
 * `recipe`, spans with one digest give the same segment. In hexadecimal. `undefined` where more than that decides.
 */
export function spanDigest(recipe: string, { items, next }: Span): string | undefined {
  beginKey();
  writeText(recipe);
  writeNumbers(
    items.reduce((sum, item) => sum + entryCount(item), 0),
    0,
    0,
  );
  let listed: unknown;
  for (const item of next === undefined ? items : [...items, next]) {
    if ('path' in item) {
      listed = undefined;
      if (!writeEntry(item)) return undefined;
    } else if (item.listed === undefined) {
      listed = undefined;
      if (!writeGathered(item)) return undefined;
    } else {
      const { children, from } = item.listed;
      // Where it is cut into runs decides nothing.
      if (children !== listed) writeFolder(item.folder, children.table.making);
      listed = children;
      writeListed(children.table, from, item.count);
    }
  }
  return endKey();
}

/** When `stat` could have missed no change of any of the files: see `settled.ts`. */
export function spanSettledFrom({ items }: Span): number {
  let settled = 0;
  const look = (content: Partial<HostContent>): void => {
    if (content.identity === undefined) return;
    const { mtime, ctime } = identityTimes(content.identity);
    settled = Math.max(settled, settledFrom(mtime, ctime));
  };
  for (const item of items) {
    if ('node' in item) {
      if (item.node.type === 'file') look(item.node.content as Partial<HostContent>);
    } else if (!('path' in item)) {
      if (item.listed !== undefined) settled = Math.max(settled, item.listed.children.table.settledFrom);
      else for (const node of item.nodes) look(node.content as Partial<HostContent>);
    }
  }
  return settled;
}

/** What is written of each kind of thing begins with a number that is the length of no name. */
const kinds = {
  ...{ folder: -1, file: -2, directory: -3, symlink: -4 },
  ...{ fifo: -5, character: -6, block: -7, whiteout: -8 },
} as const;

function writeFolder(folder: string, making: string): void {
  writeNumbers(kinds.folder, 0, 0);
  writeText(folder);
  writeText(making);
}

function writeListed({ names, rows }: { names: readonly string[]; rows: Int32Array }, from: number, count: number) {
  for (let place = from; place < from + count; place++) {
    writeText(names[place]!);
    writeWords(rows, place * identityWords, identityWords);
  }
}

function writeGathered({ folder, names, nodes }: FileRun): boolean {
  return nodes.every((node, place) => writeFile(joinPath(folder, names[place]!), node));
}

/** Only of a file of this machine, and all of it, `stat` tells. */
function writeFile(path: string, node: FileNode): boolean {
  const { content } = node;
  if (content.kind !== 'host' || content.offset !== undefined) return false;
  writeNumbers(kinds.file, 0, 0);
  writeText(path);
  writeMetadata(node);
  writeWords(content.identity.words, content.identity.at, identityWords);
  return true;
}

/** Returns whether it could be. What a hard link has depends on what it leads to. */
function writeEntry(entry: LayerEntry): boolean {
  if ('hardlink' in entry) return false;
  if ('whiteout' in entry) {
    writeNumbers(kinds.whiteout, 0, 0);
    writeText(entry.path);
    return true;
  }
  const { path, node } = entry;
  if (node.xattrs !== undefined) return false;
  if (node.type === 'file') return writeFile(path, node);
  const device = node.type === 'character' || node.type === 'block';
  writeNumbers(kinds[node.type], device ? node.major : 0, device ? node.minor : 0);
  writeText(path);
  writeMetadata(node);
  if (node.type === 'symlink') writeText(node.target);
  return true;
}

function writeMetadata({ mode, uid, gid, mtime, mtimeNanoseconds = 0 }: Metadata): void {
  writeNumbers(mode, uid, gid);
  writeNumbers(mtime, mtimeNanoseconds, 0);
}
