import { type IgnoreMatcher, patternMatcher } from '../dockerfile/ignore.js';
import { emptyRoot } from '../layer/tree-of-layers.js';
import { parseGitReference } from '../plan/git-reference.js';
import { sourceKind } from '../plan/remote-source.js';
import type { CopyStep } from '../plan/step.js';
import type { CallOptions } from '../stream/bytes.js';
import { TreeEditor } from '../tree/editor.js';
import { type Found, lookup } from '../tree/lookup.js';
import type { DirectoryNode, FileNode } from '../tree/node.js';
import { unpackArchive } from './copy/archive.js';
import { parseChmod } from './copy/chmod.js';
import { clampTo, type Timestamps } from './copy/clamp.js';
import { Copier } from './copy/copier.js';
import { parentsSource } from './copy/parents.js';
import { selectSources } from './copy/select.js';
import { fileOwner } from './file-owner.js';
import type { Fingerprint } from './folder-lister.js';
import { type RemoteSourceOptions, remoteFile, remoteName, repositoryFiles } from './remote-source.js';
import { sourceNotFound } from './source-not-found.js';

/** The tree that a COPY takes from, with the words for it in messages. */
export interface CopySource {
  readonly root: DirectoryNode;
  /** `the build context`, `stage build`, … */
  readonly label: string;
  /** What hides files of the context, to say so when one is missed. */
  readonly ignore?: IgnoreMatcher | undefined;
  /** Of one of its folders, named by its path without links, with all below it. Absent where nothing tells but reading. */
  readonly fingerprint?: ((path: string, options: CallOptions) => Promise<Fingerprint>) | undefined;
}

export interface CopyStepOptions extends RemoteSourceOptions {
  readonly epoch: number;
  readonly timestamps: Timestamps;
  /** A folder of the build's own for what has to be decompressed first. */
  readonly temporary: string;
}

/** Two trees whose difference is the layer of a step. */
export interface TreeChange {
  readonly before: DirectoryNode;
  readonly after: DirectoryNode;
}

/** Carries out a COPY or an ADD of files. With `--link` the layer is made on an empty root, so that it fits any base. */
export async function copyStep(
  tree: DirectoryNode,
  step: CopyStep,
  source: CopySource,
  options: CopyStepOptions,
): Promise<TreeChange> {
  const { files, epoch, timestamps, signal } = options;
  const clamp = clampTo(epoch, timestamps);
  const chmod = step.chmod === undefined ? undefined : parseChmod(step.chmod);
  const alone = step.link && chmod === undefined;
  const before = alone ? emptyRoot : tree;
  const editor = new TreeEditor(before);
  const owner = step.chown === undefined ? undefined : await fileOwner(step.chown, before, { files, signal });
  const exclude = step.exclude.length === 0 ? undefined : patternMatcher(step.exclude);
  const making = JSON.stringify([owner, step.chmod, epoch, timestamps]);
  const copier = new Copier(editor, { owner, chmod, exclude, epoch, clamp, making });
  const adds = step.instruction === 'ADD';
  // An archive brings its own modes: --chmod does not reach the folder that it goes into either.
  const maker = new Copier(editor, { owner, epoch, clamp });
  const target = { editor, directory: () => maker.makeDirectories(step.destination), owner };
  const unpacks = (file: FileNode, written: string): Promise<boolean> =>
    unpackArchive(file, written, target, { files, clamp, temporary: options.temporary, signal });
  for (const written of step.sources) {
    const kind = adds ? sourceKind(written) : 'path';
    if (kind === 'git') {
      const { tree } = await repositoryFiles(parseGitReference(written, step)!, options);
      copier.copy(tree, '', step.destination);
      continue;
    }
    if (kind === 'http') {
      const { file } = await remoteFile(written, step, options);
      const name = remoteName(written);
      if (step.unpack !== true || !(await unpacks(file, name))) copier.copy(file, name, step.destination);
      continue;
    }
    if (step.parents) {
      copyParents(copier, written, step.destination, source);
      continue;
    }
    for (const { path, node } of findSources(written, written, source)) {
      if (adds && step.unpack !== false && node.type === 'file' && (await unpacks(node, written))) continue;
      copier.copy(node, path, step.destination);
    }
  }
  for (const file of step.inlineFiles) copier.copy(inlineNode(file.content, epoch), file.name, step.destination);
  return { before, after: editor.root };
}

function copyParents(copier: Copier, written: string, destination: string, source: CopySource): void {
  const { base, inclusion, required } = parentsSource(written);
  // A link is copied itself, also one that leads nowhere.
  if (required !== undefined && lookup(source.root, required, { follow: false }) === undefined)
    throw sourceNotFound(written, required, source);
  for (const { path, node } of findSources(base, written, source)) {
    copier.copy(node, path, destination.endsWith('/') ? destination : `${destination}/`, inclusion);
  }
}

/** A source of a COPY, under the path that was asked for. */
export interface FoundSource extends Found {
  /** The path without links. */
  readonly place: string;
}

/** The files that a pattern, which is `written` or a part of it, stands for; the paths are as they were asked for. */
export function findSources(pattern: string, written: string, source: CopySource): FoundSource[] {
  const { paths, missing } = selectSources(source.root, pattern);
  if (missing !== undefined) {
    throw sourceNotFound(written, missing, source, `lstat /${missing}: no such file or directory in ${source.label}`);
  }
  return paths.map(path => {
    const found = lookup(source.root, path);
    if (found === undefined) throw sourceNotFound(written, path, source);
    return { path, node: found.node, place: found.path };
  });
}

function inlineNode(content: string, epoch: number): FileNode {
  const bytes = Buffer.from(content, 'utf8');
  const metadata = { mode: 0o644, uid: 0, gid: 0, mtime: epoch };
  return { type: 'file', ...metadata, size: bytes.length, content: { kind: 'bytes', bytes } };
}
