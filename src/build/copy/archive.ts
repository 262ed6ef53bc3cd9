import { createWriteStream } from 'node:fs';
import { mkdtemp, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isLadingError, LadingError } from '../../errors/errors.js';
import { ioError } from '../../errors/io-error.js';
import { readTar, type TarItem } from '../../layer/tar-reader.js';
import type { Bytes, CallOptions } from '../../stream/bytes.js';
import { type ArchiveCompression, decompress, sniffCompression } from '../../stream/compression.js';
import { emptyDirectory, type TreeEditor, withMetadata } from '../../tree/editor.js';
import { lookup, realPath } from '../../tree/lookup.js';
import type { FileContent, FileNode, Metadata, TreeNode } from '../../tree/node.js';
import type { Owner } from '../../tree/owner.js';
import { baseOf, cleanPath, joinPath, parentOf } from '../../tree/path.js';
import type { FileAccess } from '../file-access.js';
import { identityOf } from '../host-tree.js';

export interface ArchiveTarget {
  readonly editor: TreeEditor;
  /** Makes the folder that the archive goes into, and says where it is. */
  readonly directory: () => string;
  /** Replaces the owners that the archive names. */
  readonly owner?: Owner | undefined;
}

export interface ArchiveOptions extends CallOptions {
  readonly files: FileAccess;
  readonly clamp: (mtime: number) => number;
  readonly temporary: string;
}

type HostContent = Extract<FileContent, { kind: 'host' }>;

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
  const root = target.directory();
  for await (const item of readTar(source, { signal: options.signal })) await place(item, root, plain, target, options);
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
    if (isLadingError(error, 'INVALID_ARCHIVE') || isLadingError(error, 'CORRUPT_STREAM')) return undefined;
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

/** Writes bytes to a file of the temporary folder, to be read again from there. */
export async function keepContent(
  content: Bytes,
  { temporary, signal }: Pick<ArchiveOptions, 'temporary' | 'signal'>,
): Promise<HostContent> {
  const path = join(await mkdtemp(join(temporary, 'archive-')), 'content');
  try {
    await pipeline(Readable.from(content, { objectMode: false }), createWriteStream(path, { mode: 0o600 }), { signal });
    return { kind: 'host', path, identity: identityOf(await stat(path, { bigint: true })) };
  } catch (error) {
    throw ioError(error, path);
  }
}

async function openSpool(content: HostContent, options: ArchiveOptions): Promise<Readable> {
  const metadata = { mode: 0o600, uid: 0, gid: 0, mtime: 0 };
  return options.files.open({ type: 'file', ...metadata, size: Number(content.identity.size), content }, options);
}

async function place(
  item: TarItem,
  root: string,
  archive: HostContent,
  target: ArchiveTarget,
  options: ArchiveOptions,
): Promise<void> {
  const { editor } = target;
  const path = inside(item.path, item.path, root);
  if (path === root) return;
  const parent = realPath(editor.root, parentOf(path));
  if (root !== '' && parent !== root && !parent.startsWith(`${root}/`)) {
    throw invalid(item.path, `leads outside, to /${parent}, through a link`);
  }
  editor.makeDirectories(parent);
  const real = joinPath(parent, baseOf(path));
  editor.set(real, await nodeOf(item, root, editor.get(real), archive, target, options));
}

async function nodeOf(
  item: TarItem,
  root: string,
  existing: TreeNode | undefined,
  archive: HostContent,
  target: ArchiveTarget,
  options: ArchiveOptions,
): Promise<TreeNode> {
  const { uid, gid } = target.owner ?? item;
  const metadata: Metadata = { mode: item.mode, uid, gid, mtime: options.clamp(item.mtime), xattrs: item.xattrs };
  switch (item.type) {
    case 'directory':
      return existing?.type === 'directory' ? withMetadata(existing, metadata) : emptyDirectory(metadata);
    case 'file': {
      const { size } = item;
      // The stored bytes of a sparse file are not its content: it gets a file of its own.
      const content = item.sparse
        ? await keepContent(item.content, options)
        : { ...archive, offset: (archive.offset ?? 0) + item.dataOffset };
      return { type: 'file', ...metadata, size, content };
    }
    case 'symlink':
      return { type: 'symlink', ...metadata, mode: 0o777, target: item.linkTarget };
    case 'hardlink': {
      const linked = lookup(target.editor.root, inside(item.linkTarget, item.path, root), { follow: false });
      if (linked !== undefined && linked.node.type !== 'directory') return linked.node;
      throw invalid(item.path, `is a hard link to ${item.linkTarget}, which is not there`);
    }
    case 'character':
    case 'block':
      return { type: item.type, ...metadata, major: item.devMajor, minor: item.devMinor };
    case 'fifo':
      return { type: 'fifo', ...metadata };
  }
}

/** A path of the archive as a path of the tree, refused when it climbs out of the folder it is unpacked into. */
function inside(written: string, entry: string, root: string): string {
  let depth = 0;
  for (const component of written.split('/')) {
    if (component === '..') depth -= 1;
    else if (component !== '' && component !== '.') depth += 1;
    if (depth < 0) throw invalid(entry, `leads outside with ${JSON.stringify(written)}`);
  }
  const path = cleanPath(written);
  return path === '' ? root : joinPath(root, path);
}

function invalid(entry: string, problem: string): LadingError {
  return new LadingError('INVALID_ARCHIVE', `archive entry ${JSON.stringify(entry)} ${problem}`, {
    details: { entry, problem },
    hint: 'Make the archive again without such entries, or unpack it yourself and COPY the files.',
  });
}
