import { hash } from 'node:crypto';
import { type BigIntStats, constants, lstatSync } from 'node:fs';
import { settledFrom } from '../cache/settled.js';
import type { IgnoreMatcher } from '../dockerfile/ignore.js';
import { ioError } from '../errors/io-error.js';
import { folderNames } from '../layer/folder-names.js';
import { linkTarget } from '../layer/host-stats.js';
import type { HostIdentity } from '../tree/node.js';
import { encodePath, joinPath, toHostPath } from '../tree/path.js';

/**
 * Numbers of a row: device, inode, size, mtime and ctime in ns, mode. A device has its number in the place of the size, and
 * folders have nothing but mode and mtime: the rest is no part of an image. Above the mode a bit for files with one name.
 */
const columns = 6;
const oneName = 1n << 32n;
const noTargets: FolderListing['targets'] = new Map();

/** What `stat` says of all that is in a folder, as a table: 48 bytes each, where objects take ten times that. */
export interface FolderListing {
  /** In no particular order, with NUL between them, which no name holds. */
  readonly names: string;
  readonly rows: BigInt64Array;
  /** Targets of links, by the number of their row. */
  readonly targets: ReadonlyMap<number, string>;
}

/** What tells a folder with all below it from another, and from a later state of itself. */
export interface Fingerprint {
  /** SHA-256, in hexadecimal. */
  readonly digest: string;
  /** From when on `stat` could not have missed a change of any of the files, in ns since 1970. */
  readonly settledFrom: number;
}

/** Listings as they go from thread to thread: few objects, however many folders. */
export interface ListedFolders {
  readonly paths: readonly string[];
  readonly names: readonly string[];
  /** Rows of all of them, one behind another, and how many numbers are each one's. */
  readonly rows: BigInt64Array<ArrayBuffer>;
  readonly lengths: readonly number[];
  readonly targets: ReadonlyMap<string, FolderListing['targets']>;
  readonly fingerprints: ReadonlyArray<Fingerprint | undefined>;
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
  readonly #fingerprints = new Map<string, Fingerprint>();

  constructor(host: string, ignore?: IgnoreMatcher | undefined) {
    this.host = host;
    this.ignore = ignore;
  }

  hostPath(path: string): string {
    return path === '' ? this.host : `${this.host}/${path}`;
  }

  listing(path: string): FolderListing {
    let listing = this.#listings.get(path);
    if (listing === undefined) {
      listing = this.#list(path);
      this.#listings.set(path, listing);
    }
    return listing;
  }

  /** Of a folder with all below it, which is listed for that as far as it has not been. */
  fingerprint(path: string): Fingerprint {
    const known = this.#fingerprints.get(path);
    if (known !== undefined) return known;
    const listing = this.listing(path);
    const { names, rows, targets } = listing;
    let below = '';
    let from = 0;
    for (const folder of foldersIn(path, listing)) {
      const fingerprint = this.fingerprint(folder);
      below += fingerprint.digest;
      from = Math.max(from, fingerprint.settledFrom);
    }
    for (let at = 0; at < rows.length; at += columns) {
      if (kindOf(rows[at + 5]!) !== constants.S_IFDIR) from = Math.max(from, settledFrom(rows[at + 3]!, rows[at + 4]!));
    }
    const links = [...targets.values()].join('\0');
    // How long each part is says where the next one begins.
    const text = `${rows.length} ${names.length} ${links.length}\n${names}${links}${below}`;
    const table = Buffer.from(rows.buffer, rows.byteOffset, rows.byteLength);
    const digest = hash('sha256', Buffer.concat([table, encodePath(text)]), 'hex');
    const fingerprint = { digest, settledFrom: from };
    this.#fingerprints.set(path, fingerprint);
    return fingerprint;
  }

  /** All that has been listed so far. */
  listed(): ListedFolders {
    const paths = [...this.#listings.keys()];
    const listings = [...this.#listings.values()];
    const lengths = listings.map(({ rows }) => rows.length);
    const rows = new BigInt64Array(lengths.reduce((sum, length) => sum + length, 0));
    const targets = new Map<string, FolderListing['targets']>();
    let at = 0;
    for (const [i, listing] of listings.entries()) {
      rows.set(listing.rows, at);
      at += listing.rows.length;
      if (listing.targets.size > 0) targets.set(paths[i]!, listing.targets);
    }
    const fingerprints = paths.map(path => this.#fingerprints.get(path));
    return { paths, names: listings.map(({ names }) => names), rows, lengths, targets, fingerprints };
  }

  /** Takes over what another one has listed, but for what this one has listed itself. */
  adopt({ paths, names, rows, lengths, targets, fingerprints }: ListedFolders): void {
    let at = 0;
    for (const [i, path] of paths.entries()) {
      const own = rows.subarray(at, at + lengths[i]!);
      at += lengths[i]!;
      if (this.#listings.has(path)) continue;
      this.#listings.set(path, { names: names[i]!, rows: own, targets: targets.get(path) ?? noTargets });
      const fingerprint = fingerprints[i];
      if (fingerprint !== undefined) this.#fingerprints.set(path, fingerprint);
    }
  }

  #list(path: string): FolderListing {
    const { ignore } = this;
    const host = this.hostPath(path);
    const listed = names(host);
    const kept: string[] = [];
    let targets: Map<number, string> | undefined;
    let rows = new BigInt64Array(listed.length * columns);
    for (const name of listed) {
      const child = joinPath(path, name);
      const hidden = ignore?.ignores(child) ?? false;
      if (hidden && ignore!.canPrune(child)) continue;
      const childHost = `${host}/${name}`;
      const stats = lstat(childHost);
      const kind = kindOf(stats.mode);
      if (hidden && (kind !== constants.S_IFDIR || this.listing(child).rows.length === 0)) continue;
      if (kind === constants.S_IFLNK) {
        targets ??= new Map();
        targets.set(kept.length, readLink(childHost));
      }
      setRow(rows, kept.length * columns, kind, stats);
      kept.push(name);
    }
    if (kept.length < listed.length) rows = rows.slice(0, kept.length * columns);
    return { names: kept.join('\0'), rows, targets: targets ?? noTargets };
  }
}

/** A row of a listing. */
export interface ListedEntry {
  readonly name: string;
  readonly row: number;
  /** One of the `S_IF…` of `fs.constants`. */
  readonly kind: number;
  /** Of a regular file. */
  readonly single: boolean;
}

export function entryCount({ rows }: FolderListing): number {
  return rows.length / columns;
}

export function* entriesOf({ names, rows }: FolderListing): Generator<ListedEntry> {
  if (rows.length === 0) return;
  for (const [row, name] of names.split('\0').entries()) {
    const mode = rows[row * columns + 5]!;
    yield { name, row, kind: kindOf(mode), single: (mode & oneName) !== 0n };
  }
}

/** Paths of the folders that are in a folder. */
export function* foldersIn(path: string, listing: FolderListing): Generator<string> {
  const { rows } = listing;
  let found = false;
  for (let at = 5; at < rows.length && !found; at += columns) found = kindOf(rows[at]!) === constants.S_IFDIR;
  if (!found) return;
  for (const { name, kind } of entriesOf(listing)) if (kind === constants.S_IFDIR) yield joinPath(path, name);
}

export function identityAt({ rows }: FolderListing, row: number): HostIdentity {
  const at = row * columns;
  return {
    // These two are unsigned, and may use all 64 bits.
    dev: BigInt.asUintN(64, rows[at]!),
    ino: BigInt.asUintN(64, rows[at + 1]!),
    size: rows[at + 2]!,
    mtimeNs: rows[at + 3]!,
    ctimeNs: rows[at + 4]!,
    mode: Number(rows[at + 5]! & 0xffff_ffffn),
  };
}

function setRow(rows: BigInt64Array, at: number, kind: number, stats: BigIntStats): void {
  const { dev, ino, size, mtimeNs, ctimeNs, mode, nlink, rdev } = stats;
  rows[at + 3] = mtimeNs;
  rows[at + 5] = mode;
  if (kind === constants.S_IFDIR) return;
  rows[at] = dev;
  rows[at + 1] = ino;
  rows[at + 2] = kind === constants.S_IFCHR || kind === constants.S_IFBLK ? rdev : size;
  rows[at + 4] = ctimeNs;
  if (nlink === 1n) rows[at + 5] = mode | oneName;
}

function kindOf(mode: bigint): number {
  return Number(mode) & constants.S_IFMT;
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
    return folderNames(path);
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
