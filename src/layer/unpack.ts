import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { LadingError } from '../errors/errors.js';
import { ioError } from '../errors/io-error.js';
import type { CallOptions } from '../stream/bytes.js';
import type { DeviceNode, DirectoryNode, FifoNode, Metadata, SymlinkNode } from '../tree/node.js';
import { baseOf, comparePaths, parentOf, toHostPath } from '../tree/path.js';
import type { ContentReader } from './content-reader.js';
import type { LayerEntry } from './entry.js';
import { hostTime } from './host-time.js';
import { makeFolder } from './make-folder.js';
import { removeTarget, replacing } from './replacing.js';
import { RootDirectory } from './root-directory.js';
import { SegmentCrew } from './segment-crew.js';
import { copyFileContent } from './unpack-file.js';
import { type LayerFile, type TarPieces, writeLayerFiles } from './write-layer-files.js';

export interface UnpackTarget extends CallOptions {
  /** `keep` gives files their owners, which needs the privilege to; with `none` all belong to whoever runs this. */
  readonly ownership: 'keep' | 'none';
}

export interface UnpackOptions extends UnpackTarget {
  /** Opens the bytes of files that lie in a store. */
  readonly read: ContentReader;
  /** Reads layers from their beginning, for all files of them; by default each file is opened by itself. */
  readonly pieces?: TarPieces | undefined;
  /** Threads that write files; by default this one does. */
  readonly crew?: SegmentCrew | undefined;
}

/** What could not be written as it is in the tree. */
export interface UnpackReport {
  readonly skipped: ReadonlyArray<{ readonly path: string; readonly what: 'device' | 'fifo' | 'xattrs' }>;
}

type Folder = Omit<DirectoryNode, 'children'>;

/** Entries between which timers and signals get their turn: all else here is synchronous. */
const entriesInARow = 64;

/**
 * Writes entries, in the order given, below `root` (made when missing). Never leaves it: links that are there already
 * are replaced or refused, never followed. What exists gives way, except that folders are merged; a whiteout removes.
 * When it fails, what has been written stays, and every descriptor is closed.
 * @throws LadingError PATH_INVALID, PATH_NOT_FOUND (target of a hard link), FILE_CHANGED, DIGEST_MISMATCH, IO
 */
export async function unpackEntries(
  entries: Iterable<LayerEntry>,
  root: string,
  options: UnpackOptions,
): Promise<UnpackReport> {
  try {
    makeFolder(root);
  } catch (error) {
    throw ioError(error, root);
  }
  const unpacker = new Unpacker(root, options);
  try {
    let count = 0;
    for (const entry of entries) {
      if (count++ % entriesInARow === 0) await setImmediate();
      options.signal?.throwIfAborted();
      await unpacker.write(entry);
    }
    await unpacker.finish();
    return { skipped: unpacker.skipped };
  } catch (error) {
    throw options.signal?.aborted ? options.signal.reason : error;
  } finally {
    unpacker.close();
  }
}

class Unpacker {
  readonly skipped: Array<UnpackReport['skipped'][number]> = [];
  readonly #options: UnpackOptions;
  readonly #targets: RootDirectory;
  /** Where hard links point to: a second cursor, for both ends are needed at once. */
  readonly #sources: RootDirectory;
  /** Folders get mode and times when nothing is written into them any more. */
  readonly #folders = new Map<string, Folder>();
  /** Files whose bytes are in layers, and links to them: written at the end, layer by layer. */
  readonly #later = new Map<string, LayerFile | { readonly from: string }>();
  readonly #root: string;

  constructor(root: string, options: UnpackOptions) {
    this.#root = root;
    this.#options = options;
    this.#targets = new RootDirectory(root);
    this.#sources = new RootDirectory(root);
  }

  async write(entry: LayerEntry): Promise<void> {
    const { path } = entry;
    if (path === '') return;
    try {
      await this.#write(entry, `${this.#targets.enter(parentOf(path))}/${checkBase(path)}`);
    } catch (error) {
      throw ioError(error, path.toWellFormed());
    }
  }

  async #write(entry: LayerEntry, target: string): Promise<void> {
    const { path } = entry;
    this.#later.delete(path);
    if ('whiteout' in entry) {
      removeTarget(target);
      this.#forgetFolders(path);
    } else if ('hardlink' in entry) {
      if (this.#later.has(entry.hardlink)) this.#later.set(path, { from: entry.hardlink });
      else this.#link(entry.hardlink, path, target);
    } else {
      const { node } = entry;
      if (node.xattrs !== undefined && Object.keys(node.xattrs).length > 0) this.skipped.push({ path, what: 'xattrs' });
      if (node.type === 'directory') {
        this.#folder(path, node, target);
        return;
      }
      this.#forgetFolders(path);
      if (node.type === 'file' && node.content.kind === 'layer') {
        this.#later.set(path, { path, node, content: node.content });
      } else if (node.type === 'file') {
        const fd = replacing(target, () => fs.openSync(toHostPath(target), createFlags, 0o600));
        try {
          await copyFileContent(node, fd, this.#options);
          this.#setFileMetadata(fd, node);
        } finally {
          fs.closeSync(fd);
        }
      } else if (node.type === 'symlink') {
        this.#symlink(node, target);
      } else {
        await this.#special(path, node, target);
      }
    }
  }

  #folder(path: string, node: Folder, target: string): void {
    const hostPath = toHostPath(target);
    if (!fs.lstatSync(hostPath, { throwIfNoEntry: false })?.isDirectory()) {
      // Not readable for others before it is whole; and its own mode may not even let us write into it.
      replacing(target, () => fs.mkdirSync(hostPath, 0o700));
    }
    this.#folders.set(path, node);
  }

  #link(from: string, path: string, target: string): void {
    this.#forgetFolders(path);
    if (from === '' || from === path) throw linkTargetMissing(path, from);
    const source = `${this.#sources.enter(parentOf(from))}/${checkBase(from)}`;
    try {
      replacing(target, () => fs.linkSync(toHostPath(source), toHostPath(target)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw linkTargetMissing(path, from);
      throw error;
    }
  }

  #symlink(node: SymlinkNode, target: string): void {
    const hostPath = toHostPath(target);
    replacing(target, () => fs.symlinkSync(toHostPath(node.target), hostPath));
    if (this.#options.ownership === 'keep') fs.lchownSync(hostPath, node.uid, node.gid);
    fs.lutimesSync(hostPath, hostTime(node.mtime), hostTime(node.mtime));
  }

  /** Node cannot make these: `mknod` does, in the folder that `enter` holds. */
  async #special(path: string, node: DeviceNode | FifoNode, target: string): Promise<void> {
    removeTarget(target);
    const name = baseOf(path);
    const folder = target.slice(0, target.length - name.length - 1);
    const device = node.type === 'fifo' ? [] : [String(node.major), String(node.minor)];
    const letter = { fifo: 'p', character: 'c', block: 'b' }[node.type];
    const made = name.isWellFormed() && (await makeNode([`./${name}`, letter, ...device], folder));
    if (!made) {
      this.skipped.push({ path, what: node.type === 'fifo' ? 'fifo' : 'device' });
      return;
    }
    if (this.#options.ownership === 'keep') fs.lchownSync(target, node.uid, node.gid);
    // It was made just now in a folder that we hold; should it have been replaced by a link, its mode is not ours to set.
    if (!fs.lstatSync(target).isSymbolicLink()) fs.chmodSync(target, node.mode);
    fs.lutimesSync(target, hostTime(node.mtime), hostTime(node.mtime));
  }

  /** Owner before mode: a change of owner clears setuid and setgid. */
  #setFileMetadata(fd: number, { mode, uid, gid, mtime }: Metadata): void {
    if (this.#options.ownership === 'keep') fs.fchownSync(fd, uid, gid);
    fs.fchmodSync(fd, mode);
    fs.futimesSync(fd, hostTime(mtime), hostTime(mtime));
  }

  #forgetFolders(path: string): void {
    // Costs a walk over all, but a merged tree never puts anything in a folder's place.
    if (!this.#folders.has(path)) return;
    for (const places of [this.#folders, this.#later]) {
      for (const place of places.keys()) if (place === path || place.startsWith(`${path}/`)) places.delete(place);
    }
  }

  /** Writes what was left for the end, and gives folders what they are to have when nothing is written into them any more. */
  async finish(): Promise<void> {
    const { ownership, read, crew = new SegmentCrew(0), pieces = piecesOf(read), signal } = this.#options;
    const files: LayerFile[] = [];
    for (const later of this.#later.values()) if ('node' in later) files.push(later);
    await writeLayerFiles(files, this.#root, { ownership, crew, pieces, signal });
    for (const [path, later] of this.#later) {
      if ('node' in later) continue;
      try {
        this.#link(later.from, path, `${this.#targets.enter(parentOf(path))}/${checkBase(path)}`);
      } catch (error) {
        throw ioError(error, path.toWellFormed());
      }
    }
    this.#finishFolders();
  }

  /** Deepest first: a folder's own mode may forbid to enter it. */
  #finishFolders(): void {
    const paths = [...this.#folders.keys()].sort(comparePaths).reverse();
    for (const path of paths) {
      const { mode, uid, gid, mtime } = this.#folders.get(path)!;
      try {
        const hostPath = toHostPath(this.#targets.enter(path));
        if (this.#options.ownership === 'keep') fs.chownSync(hostPath, uid, gid);
        fs.chmodSync(hostPath, mode);
        fs.utimesSync(hostPath, hostTime(mtime), hostTime(mtime));
      } catch (error) {
        throw ioError(error, path.toWellFormed());
      }
    }
  }

  close(): void {
    this.#targets.close();
    this.#sources.close();
  }
}

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW = 0 } = fs.constants;
const createFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;

/** Opens each file by itself. */
function piecesOf(read: ContentReader): TarPieces {
  return async function* (layer, ranges, options) {
    for (const [start, end] of ranges) {
      let at = start;
      for await (const bytes of await read({ kind: 'layer', layer, offset: start }, end - start, options)) {
        yield { at, bytes };
        at += bytes.length;
      }
    }
  };
}

const run = promisify(execFile);

async function makeNode(args: readonly string[], folder: string): Promise<boolean> {
  try {
    await run('mknod', [...args], { cwd: folder });
    return true;
  } catch {
    return false;
  }
}

function checkBase(path: string): string {
  const base = baseOf(path);
  if (!path.startsWith('/') && base !== '' && base !== '.' && base !== '..' && !base.includes('\0')) return base;
  const shown = path.toWellFormed();
  throw new LadingError('PATH_INVALID', `${JSON.stringify(shown)} is not a path that can be written`, {
    details: { path: shown, problem: 'a component is not a file name' },
  });
}

function linkTargetMissing(path: string, target: string): LadingError<'PATH_NOT_FOUND'> {
  const shown = target.toWellFormed();
  return new LadingError('PATH_NOT_FOUND', `${path.toWellFormed()} is a hard link to ${shown}, which is not there`, {
    details: { path: shown },
  });
}
