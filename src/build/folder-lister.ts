import { createHash } from 'node:crypto';
import { type BigIntStats, constants, lstatSync } from 'node:fs';
import type { IgnoreMatcher } from '../dockerfile/ignore.js';
import { ioError } from '../errors/io-error.js';
import { folderNames } from '../layer/folder-names.js';
import { linkTarget } from '../layer/host-stats.js';
import { type HostIdentity, identityTimes, identityWords, modeAt, setNumbers, wordsOf } from '../tree/host-identity.js';
import { encodePath, joinPath, sortNames, toHostPath } from '../tree/path.js';
import { settledFrom } from '../tree/settled.js';

/** Above the mode of files with more names. */
const moreNames = 1n << 32n;
const { S_IFMT, S_IFDIR, S_IFLNK, S_IFBLK, S_IFCHR } = constants;
/** Bytes that are hashed at a time. */
const pieceBytes = 256 * 1024;
const noTargets: FolderListing['targets'] = new Map();
const noFolders: FolderListing['folders'] = [];

/** What `stat` says of all that is in a folder, as a table: 48 bytes each, where objects take ten times that. */
export interface FolderListing {
  /** By their bytes, with NUL between them, which no name holds. */
  readonly names: string;
  /**
   * As in `HostIdentity`. A device has its number in the place of the size, and folders have nothing but mode and mtime: the
   * rest is no part of an image.
   */
  readonly rows: Int32Array;
  /** Targets of links, by the number of their row. */
  readonly targets: ReadonlyMap<number, string>;
  /** Paths of the folders among them, in the order of the rows. */
  readonly folders: readonly string[];
  /** When `stat` could have missed no change of any of the files: see `settled.ts`. */
  readonly settledFrom: number;
}

/** What tells a folder with all below it from another, and from a later state of itself. */
export interface Fingerprint extends Pick<FolderListing, 'settledFrom'> {
  /** SHA-256, in hexadecimal. */
  readonly digest: string;
}

/** Listings as they go from thread to thread: a few long texts and tables, for it is objects and strings that take time. */
export interface ListedFolders {
  /** With NUL between them. */
  readonly paths: string;
  /** Of all folders, with `/` between one's and the next one's, which no name holds either. */
  readonly names: string;
  /** Of all folders, with two NULs between one's and the next one's. */
  readonly folders: string;
  /** Of all folders, one behind another, and how many words are each one's. */
  readonly rows: Int32Array<ArrayBuffer>;
  readonly lengths: Uint32Array<ArrayBuffer>;
  readonly settledFrom: Float64Array<ArrayBuffer>;
  /** By path, of those that have any. */
  readonly targets: ReadonlyMap<string, FolderListing['targets']>;
}

/**
 * Lists the folders of a context, each once, however often and by whomever it is asked for. What is hidden is not there;
 * a hidden folder is there when something below it is not hidden. Paths are those in the context: `''` is its root.
 * @throws LadingError IO, for what cannot be listed
 */
export class FolderLister {
  readonly host: string;
  readonly ignore: IgnoreMatcher | undefined;
  readonly #listings = new Map<string, FolderListing>();

  constructor(host: string, ignore?: IgnoreMatcher | undefined) {
    this.host = host;
    this.ignore = ignore;
  }

  hostPath(path: string): string {
    return path === '' ? this.host : `${this.host}/${path}`;
  }

  /** Whether it has been listed. */
  has(path: string): boolean {
    return this.#listings.has(path);
  }

  listing(path: string): FolderListing {
    let listing = this.#listings.get(path);
    if (listing === undefined) {
      listing = this.#list(path);
      this.#listings.set(path, listing);
    }
    return listing;
  }

  /** Lists a folder with all below it, as far as that has not been done. */
  listAll(path: string): void {
    for (const folder of this.listing(path).folders) this.listAll(folder);
  }

  /** Of a folder with all below it, which is listed for that as far as it has not been. */
  fingerprint(path: string): Fingerprint {
    const digest = createHash('sha256');
    const tables = Buffer.allocUnsafe(pieceBytes);
    let filled = 0;
    let text = '';
    let settledFrom = 0;
    /** Each part of what is hashed begins with how long it is, so that no other tree gives the same bytes. */
    const flush = (table: Uint8Array = tables.subarray(0, filled)): void => {
      const bytes = encodePath(text);
      digest.update(`${bytes.length} ${table.length}\n`).update(bytes).update(table);
      filled = 0;
      text = '';
    };
    const add = ({ names, rows, targets, folders, settledFrom: from }: FolderListing): void => {
      const table = new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength);
      if (filled + table.length > pieceBytes || text.length > pieceBytes) flush();
      const links = targets.size === 0 ? '' : [...targets.values()].join('\0');
      text += `${rows.length} ${names.length} ${links.length}\n${names}${links}`;
      if (table.length > pieceBytes) flush(table);
      else {
        tables.set(table, filled);
        filled += table.length;
      }
      settledFrom = Math.max(settledFrom, from);
      for (const folder of folders) add(this.listing(folder));
    };
    add(this.listing(path));
    flush();
    return { digest: digest.digest('hex'), settledFrom };
  }

  /** All that has been listed so far. */
  listed(): ListedFolders {
    const listings = [...this.#listings.values()];
    const lengths = Uint32Array.from(listings, ({ rows }) => rows.length);
    const rows = new Int32Array(lengths.reduce((sum, length) => sum + length, 0));
    let at = 0;
    for (const listing of listings) {
      rows.set(listing.rows, at);
      at += listing.rows.length;
    }
    const linked = [...this.#listings].filter(([, { targets }]) => targets.size > 0);
    return {
      paths: [...this.#listings.keys()].join('\0'),
      names: listings.map(({ names }) => names).join('/'),
      folders: listings.map(({ folders }) => folders.join('\0')).join('\0\0'),
      rows,
      lengths,
      settledFrom: Float64Array.from(listings, listing => listing.settledFrom),
      targets: new Map(linked.map(([path, { targets }]) => [path, targets])),
    };
  }

  /** Takes over what another one has listed, but for what this one has listed itself. */
  adopt({ rows, lengths, settledFrom, targets, ...texts }: ListedFolders): void {
    if (lengths.length === 0) return;
    const names = texts.names.split('/');
    const folders = texts.folders.split('\0\0');
    let at = 0;
    for (const [i, path] of texts.paths.split('\0').entries()) {
      const own = rows.subarray(at, at + lengths[i]!);
      at += lengths[i]!;
      if (this.#listings.has(path)) continue;
      this.#listings.set(path, {
        names: names[i]!,
        rows: own,
        targets: targets.get(path) ?? noTargets,
        folders: folders[i] === '' ? noFolders : folders[i]!.split('\0'),
        settledFrom: settledFrom[i]!,
      });
    }
  }

  #list(path: string): FolderListing {
    const { ignore } = this;
    const host = this.hostPath(path);
    const listed = names(host);
    const kept: string[] = [];
    let targets: Map<number, string> | undefined;
    let folders: string[] | undefined;
    let settled = 0;
    const numbers = new BigInt64Array((listed.length * identityWords) / 2);
    const words = wordsOf(numbers);
    for (const name of listed) {
      const child = ignore === undefined ? '' : joinPath(path, name);
      const hidden = ignore?.ignores(child) ?? false;
      if (hidden && ignore!.canPrune(child)) continue;
      const childHost = `${host}/${name}`;
      const stats = lstat(childHost);
      const kind = kindOf(stats.mode);
      if (hidden && (kind !== S_IFDIR || this.listing(child).rows.length === 0)) continue;
      setRow(numbers, (kept.length * identityWords) / 2, kind, stats);
      if (kind === S_IFDIR) {
        folders ??= [];
        folders.push(joinPath(path, name));
      } else {
        const { mtime, ctime } = identityTimes({ words, at: kept.length * identityWords });
        settled = Math.max(settled, settledFrom(mtime, ctime));
        if (kind === S_IFLNK) {
          targets ??= new Map();
          targets.set(kept.length, readLink(childHost));
        }
      }
      kept.push(name);
    }
    return {
      names: kept.join('\0'),
      rows: kept.length < listed.length ? words.slice(0, kept.length * identityWords) : words,
      targets: targets ?? noTargets,
      folders: folders ?? noFolders,
      settledFrom: settled,
    };
  }
}

export function entryCount({ rows }: FolderListing): number {
  return rows.length / identityWords;
}

/** The name of each row. */
export function namesOf({ names, rows }: FolderListing): readonly string[] {
  return rows.length === 0 ? [] : names.split('\0');
}

export function identityAt({ rows }: FolderListing, row: number): HostIdentity {
  return { words: rows, at: row * identityWords };
}

/** What is in a row: one of the `S_IF…` of `fs.constants`. */
export function kindAt({ rows }: FolderListing, row: number): number {
  return modeAt(rows, row * identityWords) & S_IFMT;
}

function setRow(rows: BigInt64Array, at: number, kind: number, stats: BigIntStats): void {
  if (kind === S_IFDIR) {
    rows[at + 3] = stats.mtimeNs;
    rows[at + 5] = stats.mode;
    return;
  }
  setNumbers(rows, at, stats);
  if (kind === S_IFCHR || kind === S_IFBLK) rows[at + 2] = stats.rdev;
  if (stats.nlink !== 1n) rows[at + 5] = stats.mode | moreNames;
}

function kindOf(mode: bigint): number {
  return Number(mode) & S_IFMT;
}

function lstat(path: string): BigIntStats {
  try {
    return lstatSync(toHostPath(path), { bigint: true });
  } catch (error) {
    throw ioError(error, path);
  }
}

function names(path: string): string[] {
  try {
    return sortNames(folderNames(path));
  } catch (error) {
    throw ioError(error, path);
  }
}

function readLink(path: string): string {
  try {
    return linkTarget(path);
  } catch (error) {
    throw ioError(error, path);
  }
}
