import { createHash } from 'node:crypto';
import { LadingError } from '../errors/errors.js';
import { redactText, redactUrl } from '../errors/redact.js';
import type { CopyStep } from '../plan/step.js';
import type { CallOptions } from '../stream/bytes.js';
import type { FileNode } from '../tree/node.js';
import { decodePath } from '../tree/path.js';
import type { FileAccess } from './file-access.js';
import type { RemoteFiles } from './inputs.js';

export interface RemoteSourceOptions extends CallOptions {
  readonly files: FileAccess;
  readonly remote: RemoteFiles;
  /** Download again what is kept of earlier builds. */
  readonly fresh: boolean;
  /** Told with the address, fit to be shown, and bytes so far. */
  readonly onFetch?: ((url: string, bytes: number, total: number | undefined) => void) | undefined;
}

/** Gets the file of an ADD from the web: root's, for nobody else to read, as old as the server says. */
export async function remoteFile(url: string, step: CopyStep, options: RemoteSourceOptions): Promise<FileNode> {
  const { files, remote, fresh, signal, onFetch } = options;
  const shown = redactUrl(url);
  const { blob, lastModified = 0 } = await remote.fetch(url, {
    digest: step.checksum,
    fresh,
    signal,
    onProgress: (bytes, total) => onFetch?.(shown, bytes, total),
  });
  const { size, digest } = blob;
  const content = { kind: 'blob', blob, offset: 0 } as const;
  const file: FileNode = { type: 'file', mode: 0o600, uid: 0, gid: 0, mtime: lastModified, size, content, digest };
  if (step.checksum !== undefined) await checkContent(file, step.checksum, shown, files, { signal });
  return file;
}

/** The last part of an address's path, as a file is called that is put into a folder. */
export function remoteName(url: string): string {
  const path = decodePath(percentDecoded(new URL(url).pathname));
  const name = path.split('/').filter(Boolean).at(-1) ?? '';
  return name === '' || name === '.' || name === '..' || name.includes('\0') ? '__unnamed__' : name;
}

export function refuseGit(source: string, step: CopyStep): LadingError<'UNSUPPORTED'> {
  return new LadingError('UNSUPPORTED', `ADD ${redactText(source)}: Git repositories are not supported`, {
    details: { feature: 'ADD from git', range: step.range },
    hint: 'Fetch it before the build and ADD or COPY the files from the context.',
  });
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
