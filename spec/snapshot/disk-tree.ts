import { readFileSync } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '../../src/oci/digest.js';
import type { DirectoryNode, TreeNode } from '../../src/tree/node.js';
import { joinPath } from '../../src/tree/path.js';

/** A folder of this machine as lines, read without any of our own code: names, types, modes, owners, contents, links. */
export async function diskListing(root: string, { times = false } = {}): Promise<string[]> {
  const lines: Array<readonly [path: string, line: string]> = [];
  const links = new Map<string, string>();
  const walk = async (path: string): Promise<void> => {
    for (const name of (await readdir(join(root, path))).sort()) {
      const child = joinPath(path, name);
      const stats = await lstat(join(root, child));
      if (stats.isSocket()) continue;
      const mode = stats.isSymbolicLink() ? 'link' : (stats.mode & 0o7777).toString(8);
      let detail = '';
      if (stats.isSymbolicLink()) detail = `-> ${await readlink(join(root, child))}`;
      else if (stats.isFile()) {
        const key = `${stats.dev}:${stats.ino}`;
        const first = stats.nlink > 1 ? links.get(key) : undefined;
        links.set(key, first ?? child);
        detail = first === undefined ? digestOf(readFileSync(join(root, child))) : `= ${first}`;
      } else if (stats.isFIFO()) detail = 'fifo';
      else if (!stats.isDirectory()) detail = 'device';
      const time = times ? ` ${Math.floor(stats.mtimeMs / 1000)}` : '';
      lines.push([child, `${child} ${mode} ${stats.uid}:${stats.gid}${time} ${detail}`]);
      if (stats.isDirectory()) await walk(child);
    }
  };
  await walk('');
  return lines.map(([, line]) => line).sort();
}

/** The same of a tree. */
export async function treeListing(
  root: DirectoryNode,
  digest: (node: TreeNode & { readonly type: 'file' }) => Promise<string>,
  { times = false } = {},
): Promise<string[]> {
  const lines: string[] = [];
  const links = new Map<TreeNode, string>();
  const walk = async (path: string, directory: DirectoryNode): Promise<void> => {
    for (const name of [...directory.children.keys()].sort()) {
      const child = joinPath(path, name);
      const node = directory.children.get(name)!;
      const mode = node.type === 'symlink' ? 'link' : node.mode.toString(8);
      let detail = '';
      if (node.type === 'symlink') detail = `-> ${node.target}`;
      else if (node.type === 'file') {
        const first = links.get(node);
        links.set(node, first ?? child);
        detail = first === undefined ? await digest(node) : `= ${first}`;
      } else if (node.type === 'fifo') detail = 'fifo';
      else if (node.type !== 'directory') detail = 'device';
      const time = times ? ` ${node.mtime}` : '';
      lines.push(`${child} ${mode} ${node.uid}:${node.gid}${time} ${detail}`);
      if (node.type === 'directory') await walk(child, node);
    }
  };
  await walk('', root);
  return lines.sort();
}
