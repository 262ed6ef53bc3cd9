import { stat } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import { archiveHeadBytes, archiveTree, isArchive, newestFile } from '../build/archive-context.js';
import { keepContent } from '../build/copy/keep-content.js';
import type { BuildContext } from '../build/copy-sources.js';
import type { FileAccess } from '../build/file-access.js';
import type { FetchedFiles } from '../build/inputs.js';
import { remoteFile, repositoryFiles } from '../build/remote-source.js';
import { LadingError } from '../errors/errors.js';
import { formatGitReference, type GitReference, isGitContext, parseGitContext } from '../plan/git-reference.js';
import type { Bytes, CallOptions } from '../stream/bytes.js';
import { peek } from '../stream/peek.js';
import { readCapped } from '../stream/read-capped.js';
import { identitySize } from '../tree/host-identity.js';
import { lookup } from '../tree/lookup.js';
import type { DirectoryNode, FileNode } from '../tree/node.js';
import { cleanPath } from '../tree/path.js';
import {
  contextIgnore,
  type DockerfileText,
  dockerfileLimit,
  dockerfileNames,
  dockerfileOf,
  readDockerfile,
  requireDirectory,
} from './context-files.js';
import type { Workspace } from './workspace.js';

/** Where a build takes its Dockerfile and its files from. */
export interface ContextSource {
  /**
   * A folder, a Git repository (`https://host/name.git#ref:folder`), or an http(s) address of an archive or of a Dockerfile.
   * Without it only images can be copied from.
   */
  readonly context?: string | undefined;
  /** Instead: a tar, plain or compressed, or a Dockerfile alone; which of them, the content says. */
  readonly contextContent?: Bytes | undefined;
  /**
   * Path of the Dockerfile, by default `Dockerfile`, else `dockerfile`. It is one inside the context when that is no folder;
   * an absolute one is of this machine also when the context is an address.
   */
  readonly dockerfile?: string | undefined;
  /** The Dockerfile itself, instead of a path. */
  readonly dockerfileText?: string | undefined;
  /** What a relative `dockerfile` starts from; by default the current folder. */
  readonly directory?: string | undefined;
}

export interface OpenContextOptions extends CallOptions, Workspace {
  /** Folder of the store, when it is built into: it is never part of a context. */
  readonly storeRoot?: string | undefined;
  /** Whether the context has the `.git` of its repository. */
  readonly keepGitDir?: boolean | undefined;
  readonly onWarning?: ((message: string) => void) | undefined;
  readonly onProgress?: ((bytes: number, total: number | undefined) => void) | undefined;
}

export interface OpenedContext {
  readonly context: BuildContext;
  readonly dockerfile: DockerfileText;
}

/**
 * Opens the context of a build and reads its Dockerfile. Ignore files count in folders only: whoever makes an archive or
 * commits to a repository has chosen already.
 * @throws LadingError IO, USAGE, INVALID_ARCHIVE, INVALID_VALUE, and those of fetching
 */
export async function openContext(source: ContextSource, options: OpenContextOptions): Promise<OpenedContext> {
  const { context, contextContent } = source;
  if (contextContent !== undefined) return await openContent(contextContent, source, options);
  if (context !== undefined && (await isAddress(context))) {
    const repository = parseGitContext(context);
    return repository === undefined
      ? await openWeb(context, source, options)
      : await openRepository(repository, source, options);
  }
  if (context !== undefined) await requireDirectory(context);
  const dockerfile = await dockerfileOf(source);
  if (context === undefined) return { context: {}, dockerfile };
  const { storeRoot, onWarning } = options;
  const ignore = await contextIgnore(context, { dockerfile: dockerfile.path, storeRoot, onWarning });
  return { context: { directory: resolve(context), ignore }, dockerfile };
}

/** The Dockerfile of a build alone. A folder is not looked at any further. */
export async function openDockerfile(source: ContextSource, options: OpenContextOptions): Promise<DockerfileText> {
  const { context, contextContent } = source;
  const isFolder = contextContent === undefined && !(context !== undefined && (await isAddress(context)));
  return isFolder ? await dockerfileOf(source) : (await openContext(source, options)).dockerfile;
}

/** Whether a context names something on a server, unless there is a folder of that name. */
export function isRemoteContext(context: string): boolean {
  return /^https?:\/\//i.test(context) || isGitContext(context);
}

/** Whether BUILDKIT_CONTEXT_KEEP_GIT_DIR is set; what is no truth value counts as not set, as in BuildKit. */
export function keepsGitDir(buildArgs: Readonly<Record<string, string>> = {}): boolean {
  return /^(?:1|t|T|TRUE|true|True)$/.test(buildArgs['BUILDKIT_CONTEXT_KEEP_GIT_DIR'] ?? '');
}

/** `github.com/owner/name` and `user@host:path` can be folders as well. */
async function isAddress(context: string): Promise<boolean> {
  if (!isRemoteContext(context)) return false;
  if (context.includes('://')) return true;
  const stats = await stat(context).catch(() => undefined);
  return !stats?.isDirectory();
}

async function openRepository(
  reference: GitReference,
  source: ContextSource,
  options: OpenContextOptions,
): Promise<OpenedContext> {
  const { signal, onProgress } = options;
  const keepGitDir = options.keepGitDir || reference.keepGitDir;
  const onFetch = (_: string, bytes: number): void => onProgress?.(bytes, undefined);
  const fetched = await repositoryFiles({ ...reference, keepGitDir }, { ...options, signal, onFetch });
  return await openTree(fetched, formatGitReference(reference), source, options);
}

async function openWeb(address: string, source: ContextSource, options: OpenContextOptions): Promise<OpenedContext> {
  const { files, signal, onProgress } = options;
  const onFetch = (_: string, bytes: number, total: number | undefined): void => onProgress?.(bytes, total);
  const { file, lastModified, origin } = await remoteFile(address, {}, { ...options, fresh: false, onFetch });
  const name = origin.uri;
  if (isArchive(await files.head(file, archiveHeadBytes, { signal }))) {
    const { tree, time } = await openArchive(file, name, options);
    return await openTree({ tree, time: lastModified ?? time, origin }, name, source, options);
  }
  const bytes = await files.read(file, dockerfileLimit, 'the Dockerfile', { signal });
  const { dockerfile } = openText(bytes, name, source);
  return { context: { time: lastModified, origin }, dockerfile: { ...dockerfile, origin } };
}

async function openContent(content: Bytes, source: ContextSource, options: OpenContextOptions): Promise<OpenedContext> {
  const name = 'the context';
  const { head, whole } = await peek(content, archiveHeadBytes, options);
  if (!isArchive(head)) return openText(await readCapped(whole, dockerfileLimit, 'the Dockerfile'), name, source);
  const temporary = await options.temporary();
  const kept = await keepContent(whole, { ...options, temporary }).catch(error => {
    throw options.signal?.aborted ? options.signal.reason : error;
  });
  const metadata = { mode: 0o600, uid: 0, gid: 0, mtime: 0 };
  const file: FileNode = { type: 'file', ...metadata, size: identitySize(kept.identity), content: kept };
  return await openTree(await openArchive(file, name, options), name, source, options);
}

async function openArchive(file: FileNode, name: string, options: OpenContextOptions): Promise<FetchedFiles> {
  const tree = await archiveTree(file, name, { ...options, temporary: await options.temporary() });
  if (tree !== undefined) return { tree, time: newestFile(tree) };
  throw new LadingError('INVALID_ARCHIVE', `${name} is no tar archive`, {
    details: { problem: 'is no tar archive' },
    hint: 'Send a tar, plain or compressed with gzip, bzip2, xz or zstd, or a Dockerfile as text.',
  });
}

async function openTree(
  context: FetchedFiles,
  name: string,
  source: ContextSource,
  { files, signal }: OpenContextOptions,
): Promise<OpenedContext> {
  const { dockerfile, dockerfileText } = source;
  if (dockerfileText !== undefined) return { context, dockerfile: { text: dockerfileText, file: 'Dockerfile' } };
  if (source.contextContent === undefined && dockerfile !== undefined && isAbsolute(dockerfile)) {
    return { context, dockerfile: await readDockerfile(undefined, dockerfile) };
  }
  const inside = await dockerfileInTree(context.tree, dockerfile, name, files, { signal });
  return { context, dockerfile: { ...inside, origin: context.origin } };
}

/** A Dockerfile alone: there are no files to copy. */
function openText(bytes: Buffer, name: string, { dockerfile, dockerfileText }: ContextSource): OpenedContext {
  if (dockerfile === undefined && dockerfileText === undefined) {
    return { context: {}, dockerfile: { text: bytes.toString('utf8'), file: 'Dockerfile' } };
  }
  throw new LadingError('USAGE', `${name} is no archive, and a Dockerfile was given besides`, {
    details: { option: 'dockerfile' },
    hint: 'What is no archive is taken as the Dockerfile: leave -f out, or give an archive or a folder.',
  });
}

async function dockerfileInTree(
  tree: DirectoryNode,
  written: string | undefined,
  name: string,
  files: FileAccess,
  options: CallOptions,
): Promise<DockerfileText> {
  const candidates = written === undefined ? dockerfileNames : [written];
  for (const candidate of candidates) {
    const node = lookup(tree, cleanPath(candidate))?.node;
    if (node?.type !== 'file') continue;
    const bytes = await files.read(node, dockerfileLimit, candidate, options);
    return { text: bytes.toString('utf8'), file: candidate };
  }
  throw new LadingError('IO', `there is no ${candidates[0]} in ${name}`, {
    details: { path: candidates[0], errno: 'ENOENT' },
    hint: 'Name the file with -f, as it is called in the archive or the repository.',
  });
}
