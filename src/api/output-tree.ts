import type { BuiltPlatform } from '../build/build.js';
import { LadingError } from '../errors/errors.js';
import { type Claim, statementOf } from '../image/attestation.js';
import { diffTrees } from '../layer/diff.js';
import type { LayerEntry } from '../layer/entry.js';
import { emptyRoot } from '../layer/tree-of-layers.js';
import type { Digest } from '../oci/digest.js';
import { encodeJson } from '../oci/json.js';
import { formatPlatform, type Platform } from '../oci/platform.js';
import { emptyDirectory } from '../tree/editor.js';
import type { DirectoryNode, FileNode, TreeNode } from '../tree/node.js';
import { joinPath } from '../tree/path.js';

export interface OutputTreeOptions {
  /** Each platform in a folder of its own, such as `linux_arm64`; else all in one, in which no file can be twice. */
  readonly platformSplit: boolean;
  /** What is said of the files, to be put beside them. */
  readonly claim?: ((built: BuiltPlatform) => Claim) | undefined;
  /** What the file with it is called. @default 'provenance.json' */
  readonly filename?: string | undefined;
  /** What stands before that name. */
  readonly prefix?: string | undefined;
}

/** The files of an output of files: those of the image, of each platform, with a statement about them where one is made. */
export async function outputTree(built: readonly BuiltPlatform[], options: OutputTreeOptions): Promise<DirectoryNode> {
  const several = built.length > 1;
  const trees: DirectoryNode[] = [];
  for (const each of built) trees.push(await withStatement(each, several && !options.platformSplit, options));
  if (options.platformSplit) {
    return { ...emptyDirectory(), children: new Map(built.map(({ platform }, i) => [folderOf(platform), trees[i]!])) };
  }
  return trees.reduce((all, tree, i) => merged(all, tree, '', built[i]!.platform));
}

/** The same entries with another time, where there is one. */
export function retimed(entries: readonly LayerEntry[], epoch: number | undefined): readonly LayerEntry[] {
  if (epoch === undefined) return entries;
  return entries.map(entry =>
    'node' in entry ? { ...entry, node: { ...entry.node, mtime: epoch, mtimeNanoseconds: undefined } } : entry,
  );
}

function folderOf(platform: Platform): string {
  return formatPlatform(platform).replaceAll('/', '_');
}

async function withStatement(built: BuiltPlatform, named: boolean, options: OutputTreeOptions): Promise<DirectoryNode> {
  const { platform, epoch } = built;
  const tree = await built.tree();
  if (options.claim === undefined) return tree;
  const statement = statementOf(options.claim(built), filesOf(tree));
  const bytes = Buffer.from(encodeJson(statement, 2));
  const node: FileNode = {
    ...{ type: 'file', mode: 0o600, uid: 0, gid: 0, mtime: epoch, size: bytes.length },
    content: { kind: 'bytes', bytes },
  };
  const plain = options.filename ?? 'provenance.json';
  const name = named ? plain.replace(/(\.[^.]*)?$/, `.${folderOf(platform)}$1`) : plain;
  return { ...tree, children: new Map([...tree.children, [`${options.prefix ?? ''}${name}`, node]]) };
}

/** Every regular file, under each of its names. */
function filesOf(tree: DirectoryNode): Array<{ readonly name: string; readonly digest: Digest }> {
  const digests = new Map<string, Digest>();
  for (const entry of diffTrees(emptyRoot, tree)) {
    if ('hardlink' in entry) digests.set(entry.path, digests.get(entry.hardlink)!);
    // What is in a layer has been hashed.
    else if ('node' in entry && entry.node.type === 'file') digests.set(entry.path, entry.node.digest!);
  }
  return [...digests].map(([name, digest]) => ({ name, digest }));
}

/** Two trees in one. What both have must be a folder in both; its metadata is that of the first. */
function merged(one: DirectoryNode, other: DirectoryNode, path: string, platform: Platform): DirectoryNode {
  const children = new Map<string, TreeNode>(one.children);
  for (const [name, node] of other.children) {
    const known = children.get(name);
    const place = joinPath(path, name);
    if (known === undefined) children.set(name, node);
    else if (known.type === 'directory' && node.type === 'directory') {
      children.set(name, merged(known, node, place, platform));
    } else throw twice(place, platform);
  }
  return { ...one, children };
}

function twice(path: string, platform: Platform): LadingError<'PATH_INVALID'> {
  const shown = path.toWellFormed();
  const problem = `it is there for ${formatPlatform(platform)} and for another platform`;
  return new LadingError('PATH_INVALID', `/${shown} cannot be written: ${problem}`, {
    details: { path: shown, problem },
    hint: 'Leave platform-split=false out: each platform then has a folder of its own.',
  });
}
