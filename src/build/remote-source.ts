import { createHash } from 'node:crypto';
import { LadingError } from '../errors/errors.js';
import { redactUrl } from '../errors/redact.js';
import { formatGitReference, type GitReference } from '../plan/git-reference.js';
import type { CopyStep } from '../plan/step.js';
import type { CallOptions } from '../stream/bytes.js';
import type { FileNode } from '../tree/node.js';
import { decodePath } from '../tree/path.js';
import type { FileAccess } from './file-access.js';
import { hostTree } from './host-tree.js';
import type { FetchedFiles, GitRepositories, RemoteFiles } from './inputs.js';
import type { Material } from './material.js';
import { repositoryMaterial } from './materials.js';

export interface RemoteSourceOptions extends CallOptions {
  readonly files: FileAccess;
  readonly remote: RemoteFiles;
  readonly git: GitRepositories;
  /** Download again what is kept of earlier builds. */
  readonly fresh: boolean;
  /** Told with the address, fit to be shown, and bytes so far. */
  readonly onFetch?: ((url: string, bytes: number, total: number | undefined) => void) | undefined;
}

/** A file of the web: root's, for nobody else to read, as old as the server says. */
export interface RemoteSource {
  readonly file: FileNode;
  /** When it was made, in seconds since 1970, where the server says so. */
  readonly lastModified?: number | undefined;
  readonly origin: Material;
}

/** Gets the file of an ADD from the web, and holds it to its checksum. */
export async function remoteFile(
  url: string,
  { checksum }: Pick<CopyStep, 'checksum'>,
  options: Omit<RemoteSourceOptions, 'git'>,
): Promise<RemoteSource> {
  const { files, remote, fresh, signal, onFetch } = options;
  const shown = redactUrl(url);
  const { blob, lastModified } = await remote.fetch(url, {
    digest: checksum,
    fresh,
    signal,
    onProgress: (bytes, total) => onFetch?.(shown, bytes, total),
  });
  const { size, digest } = blob;
  const content = { kind: 'blob', blob, offset: 0 } as const;
  const metadata = { mode: 0o600, uid: 0, gid: 0, mtime: lastModified ?? 0 };
  const file: FileNode = { type: 'file', ...metadata, size, content, digest };
  if (checksum !== undefined) await checkContent(file, checksum, shown, files, { signal });
  return { file, lastModified, origin: { uri: shown, digest } };
}

/** The last part of an address's path, as a file is called that is put into a folder. */
export function remoteName(url: string): string {
  const path = decodePath(percentDecoded(new URL(url).pathname));
  const name = path.split('/').filter(Boolean).at(-1) ?? '';
  return name === '' || name === '.' || name === '..' || name.includes('\0') ? '__unnamed__' : name;
}

/** Gets the files of a repository. They are as old as their commit: a checkout has no other time than the clock's. */
export async function repositoryFiles(
  reference: GitReference,
  { git, signal, onFetch }: Pick<RemoteSourceOptions, 'git' | 'signal' | 'onFetch'>,
): Promise<FetchedFiles> {
  const shown = formatGitReference(reference);
  onFetch?.(shown, 0, undefined);
  const onProgress = (bytes: number): void => onFetch?.(shown, bytes, undefined);
  const checkout = await git.checkout(reference, { signal, onProgress });
  const { path, time } = checkout;
  return { tree: hostTree(path, { checkoutTime: time }), time, origin: repositoryMaterial(reference, checkout) };
}

async function checkContent(
  file: FileNode,
  expected: string,
  url: string,
  files: FileAccess,
  options: CallOptions,
): Promise<void> {
  const algorithm = expected.slice(0, expected.indexOf(':'));
  const actual = algorithm === 'sha256' ? file.digest! : await digestOf(file, algorithm, files, options);
  if (actual === expected) return;
  throw new LadingError('DIGEST_MISMATCH', `${url}: digest mismatch ${actual}: ${expected}`, {
    details: { expected, actual },
    hint: 'The file is another one than the Dockerfile expects: check where it comes from before changing --checksum.',
  });
}

async function digestOf(file: FileNode, algorithm: string, files: FileAccess, options: CallOptions): Promise<string> {
  const hash = createHash(algorithm);
  for await (const chunk of files.open(file, options)) hash.update(chunk as Buffer);
  return `${algorithm}:${hash.digest('hex')}`;
}

/** Bytes: what is encoded need not be UTF-8. */
function percentDecoded(text: string): Buffer {
  const latin1 = text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(latin1, 'latin1');
}
