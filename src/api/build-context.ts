import { resolve } from 'node:path';
import { archiveHeadBytes, archiveTree, isArchive } from '../build/archive-context.js';
import { keepContent } from '../build/copy/archive.js';
import type { BuildContext } from '../build/copy-sources.js';
import { FileAccess } from '../build/file-access.js';
import type { RemoteFiles } from '../build/inputs.js';
import { LadingError } from '../errors/errors.js';
import { redactUrl } from '../errors/redact.js';
import type { ContentStore } from '../layer/content-reader.js';
import type { LayerStore } from '../layer/layer-store.js';
import type { Bytes, CallOptions } from '../stream/bytes.js';
import { peek } from '../stream/peek.js';
import { readCapped } from '../stream/read-capped.js';
import { lookup } from '../tree/lookup.js';
import type { DirectoryNode, FileContent, FileNode } from '../tree/node.js';
import { cleanPath } from '../tree/path.js';
import {
  contextIgnore,
  type DockerfileText,
  dockerfileLimit,
  dockerfileNames,
  dockerfileOf,
  requireDirectory,
} from './context-files.js';

/** Where a build takes its Dockerfile and its files from. */
export interface ContextSource {
  /** A folder, or an http(s) address: of an archive, or of a Dockerfile. Without it only images can be copied from. */
  readonly context?: string | undefined;
  /** Instead: a tar, plain or compressed, or a Dockerfile alone; which of them, the content says. */
  readonly contextContent?: Bytes | undefined;
  /** Path of the Dockerfile, inside the archive when the context is one; by default `Dockerfile`, else `dockerfile`. */
  readonly dockerfile?: string | undefined;
  /** The Dockerfile itself, instead of a path. */
  readonly dockerfileText?: string | undefined;
  /** What a relative `dockerfile` starts from; by default the current folder. */
  readonly directory?: string | undefined;
}

export interface OpenContextOptions extends CallOptions {
  readonly store: ContentStore & Pick<LayerStore, 'hashFiles'>;
  /** Folder of the store, which is never part of a context. */
  readonly storeRoot: string;
  readonly remote: RemoteFiles;
  readonly onWarning?: ((message: string) => void) | undefined;
  /** For archives and their uncompressed copies. */
  readonly temporary: string;
  readonly onProgress?: ((bytes: number, total: number | undefined) => void) | undefined;
}

export interface OpenedContext {
  readonly context: BuildContext;
  readonly dockerfile: DockerfileText;
}

/**
 * Opens the context of a build and reads its Dockerfile. Ignore files count in folders only: whoever makes an archive has
 * chosen already.
 * @throws LadingError IO, USAGE, INVALID_ARCHIVE, REMOTE_FILE
 */
export async function openContext(source: ContextSource, options: OpenContextOptions): Promise<OpenedContext> {
  const { context, contextContent } = source;
  if (contextContent !== undefined) return await openContent(contextContent, source, options);
  if (context !== undefined && isRemoteContext(context)) return await openRemote(context, source, options);
  if (context !== undefined) await requireDirectory(context);
  const dockerfile = await dockerfileOf(source);
  if (context === undefined) return { context: {}, dockerfile };
  const { storeRoot, onWarning } = options;
  const ignore = await contextIgnore(context, { dockerfile: dockerfile.path, storeRoot, onWarning });
  return { context: { directory: resolve(context), ignore }, dockerfile };
}

export function isRemoteContext(context: string): boolean {
  return /^https?:\/\//i.test(context);
}

async function openRemote(address: string, source: ContextSource, options: OpenContextOptions): Promise<OpenedContext> {
  const { remote, signal, onProgress } = options;
  const { blob } = await remote.fetch(address, { signal, onProgress });
  const file = fileOf({ kind: 'blob', blob, offset: 0 }, blob.size);
  const name = redactUrl(address);
  const files = new FileAccess(options.store);
  if (isArchive(await files.head(file, archiveHeadBytes, { signal }))) {
    return await openArchive(file, name, files, source, options);
  }
  const bytes = await files.read(file, dockerfileLimit, 'the Dockerfile', { signal });
  return openText(bytes, name, source);
}

async function openContent(content: Bytes, source: ContextSource, options: OpenContextOptions): Promise<OpenedContext> {
  const name = 'the context';
  const { head, whole } = await peek(content, archiveHeadBytes, options);
  if (!isArchive(head)) return openText(await readCapped(whole, dockerfileLimit, 'the Dockerfile'), name, source);
  const kept = await keepContent(whole, options).catch(error => {
    throw options.signal?.aborted ? options.signal.reason : error;
  });
  const file = fileOf(kept, Number(kept.identity.size));
  return await openArchive(file, name, new FileAccess(options.store), source, options);
}

async function openArchive(
  file: FileNode,
  name: string,
  files: FileAccess,
  source: ContextSource,
  options: OpenContextOptions,
): Promise<OpenedContext> {
  const { temporary, signal } = options;
  const tree = await archiveTree(file, name, { files, temporary, signal });
  const dockerfile = textOf(source) ?? (await dockerfileInTree(tree, source.dockerfile, name, files, { signal }));
  return { context: { tree }, dockerfile };
}

/**
 * The Dockerfile of a build that is only looked at: from a folder, a path, or text. Archives and addresses are for builds.
 * @throws LadingError UNSUPPORTED, and as {@link openContext}
 */
export async function dockerfileAlone(source: ContextSource, options: CallOptions = {}): Promise<DockerfileText> {
  const { context, contextContent } = source;
  const remote = context !== undefined && isRemoteContext(context);
  if (contextContent === undefined && !remote) return await dockerfileOf(source);
  if (contextContent !== undefined) {
    const { head, whole } = await peek(contextContent, archiveHeadBytes, options);
    if (!isArchive(head)) {
      return openText(await readCapped(whole, dockerfileLimit, 'the Dockerfile'), 'the context', source).dockerfile;
    }
  }
  throw new LadingError('UNSUPPORTED', 'only a build reads its Dockerfile from an archive or an address', {
    details: { feature: 'looking at a Dockerfile in an archive or at an address' },
    hint: 'Give the folder, or the Dockerfile itself.',
  });
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
    hint: 'Name the file with -f, as it is called in the archive.',
  });
}

function textOf({ dockerfileText }: ContextSource): DockerfileText | undefined {
  return dockerfileText === undefined ? undefined : { text: dockerfileText, file: 'Dockerfile' };
}

function fileOf(content: FileContent, size: number): FileNode {
  return { type: 'file', mode: 0o600, uid: 0, gid: 0, mtime: 0, size, content };
}
