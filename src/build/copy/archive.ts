import type { Readable } from 'node:stream';
import { isLadingError } from '../../errors/errors.js';
import { readTar } from '../../layer/tar-reader.js';
import { type ArchiveCompression, decompress, sniffCompression } from '../../stream/compression.js';
import { identitySize } from '../../tree/host-identity.js';
import type { FileNode } from '../../tree/node.js';
import type { FileAccess } from '../file-access.js';
import { ArchivePlacer, type ArchiveTarget } from './archive-placer.js';
import type { Clamp } from './clamp.js';
import { type HostContent, type KeepOptions, keepContent } from './keep-content.js';

export interface ArchiveOptions extends KeepOptions {
  readonly files: FileAccess;
  readonly clamp: Clamp;
}

/**
 * Puts the content of a tar, plain or compressed, into a tree, as ADD does; `false` when the file is no archive (what
 * counts is its content, never its name). Entries keep their mode, time and owner; whiteout names mean nothing here.
 * @throws LadingError INVALID_ARCHIVE for entries that leave the folder, UNSUPPORTED for compressions that cannot be read
 */
export async function unpackArchive(
  file: FileNode,
  name: string,
  target: ArchiveTarget,
  options: ArchiveOptions,
): Promise<boolean> {
  if (file.size === 0) return false;
  const compression = await archiveCompression(file, name, options);
  if (compression === undefined) return false;
  const asItIs = compression === 'none' && file.content.kind === 'host' ? file.content : undefined;
  const plain = asItIs ?? (await spool(file, compression, name, options));
  const source = asItIs === undefined ? await openSpool(plain, options) : options.files.open(file, options);
  const placer = new ArchivePlacer(target, plain, options);
  for await (const item of readTar(source, { signal: options.signal })) await placer.place(item);
  return true;
}

/** How the archive is compressed, `undefined` when the file is none. */
async function archiveCompression(
  file: FileNode,
  name: string,
  options: ArchiveOptions,
): Promise<ArchiveCompression | undefined> {
  const { files, signal } = options;
  const compression = sniffCompression(await files.head(file, 6, { signal }));
  try {
    const content = decompress(files.open(file, { signal }), compression, name);
    for await (const _ of readTar(content, { signal })) return compression;
    return undefined;
  } catch (error) {
    // An entry that cannot be read is one all the same: a volume label, say. Unpacking says what is wrong.
    if (isLadingError(error, 'INVALID_ARCHIVE')) return error.details.entry === undefined ? undefined : compression;
    if (isLadingError(error, 'CORRUPT_STREAM')) return undefined;
    throw error;
  }
}

/**
 * Files inside an archive are read more than once, at their offsets: it is kept, uncompressed, for as long as the build.
 */
async function spool(
  file: FileNode,
  compression: ArchiveCompression,
  name: string,
  options: ArchiveOptions,
): Promise<HostContent> {
  const content = options.files.open(file, { signal: options.signal });
  return await keepContent(decompress(content, compression, name), options);
}

async function openSpool(content: HostContent, options: ArchiveOptions): Promise<Readable> {
  const metadata = { mode: 0o600, uid: 0, gid: 0, mtime: 0 };
  return options.files.open({ type: 'file', ...metadata, size: identitySize(content.identity), content }, options);
}
