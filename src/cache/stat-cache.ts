import type { ContextNotes } from '../content/content.js';
import type { Digest } from '../oci/digest.js';
import type { CallOptions } from '../stream/bytes.js';
import type { HostIdentity } from '../tree/node.js';
import { recordKey } from './record.js';
import { settledFrom } from './settled.js';

/** Changes with the rows: what other versions wrote is not looked at. */
const formatVersion = 1;

/** A row: six numbers of 64 bits (device, inode, size, mtime and ctime in ns, mode), then the SHA-256. */
const numbers = 6;
const rowBytes = numbers * 8 + 32;

export interface StatCacheOptions {
  /** Folders whose files it is about: rows are kept for each set of them. Absolute. */
  readonly directories: readonly string[];
  /** In ms since 1970, not later than the first file is looked at. */
  readonly now: number;
}

/**
 * The digests of files that have been read before, by what `stat` says of them, so that a context that has not changed
 * need not be read again. Files that changed so lately that `stat` could not tell are not kept.
 */
export class StatCache {
  readonly #notes: ContextNotes | undefined;
  readonly #key: string;
  readonly #now: number;
  #table = new Table(undefined);
  #loaded: Promise<void> | undefined;
  #keepsAll = false;
  readonly #added: Array<{ readonly identity: HostIdentity; readonly digest: Digest }> = [];
  readonly #addedByInode = new Map<bigint, number[]>();

  /** Without `notes` it is forgotten with the object. Nothing is read before {@link load}. */
  constructor(notes?: ContextNotes, { directories, now }: StatCacheOptions = { directories: [], now: 0 }) {
    this.#notes = notes;
    this.#key = recordKey({ kind: 'stat-cache', version: formatVersion, directories: [...directories].sort() });
    this.#now = now * 1e6;
  }

  /** Reads what was kept. To be awaited before anything is looked up: a build that reads no file needs none of it. */
  load(options: CallOptions = {}): Promise<void> {
    this.#loaded ??= (async () => {
      const rows = await this.#notes?.getNotes(this.#key, options);
      this.#table = new Table(rows);
    })();
    return this.#loaded;
  }

  /** How many files are known of, without reading what. */
  async size(): Promise<number> {
    return ((await this.#notes?.notesSize(this.#key)) ?? 0) / rowBytes;
  }

  /** Not all files are looked up this time although they are there: what is known of the others stays. */
  keepAll(): void {
    this.#keepsAll = true;
  }

  find(identity: HostIdentity): Digest | undefined {
    for (const place of this.#addedByInode.get(identity.ino) ?? []) {
      const added = this.#added[place]!;
      if (sameIdentity(added.identity, identity)) return added.digest;
    }
    return this.#table.find(identity);
  }

  /** Notes what has been read of a file; nothing is said of it twice. */
  add(identity: HostIdentity, digest: Digest): void {
    if (this.find(identity) !== undefined) return;
    const place = this.#added.push({ identity, digest }) - 1;
    const places = this.#addedByInode.get(identity.ino);
    if (places === undefined) this.#addedByInode.set(identity.ino, [place]);
    else places.push(place);
  }

  /** Writes what was looked up or noted since it was opened, unless that is what is there. */
  async save(options: CallOptions = {}): Promise<void> {
    const fresh = this.#added.filter(({ identity }) => settledFrom(identity.mtimeNs, identity.ctimeNs) <= this.#now);
    const gone = !this.#keepsAll && !this.#table.allFound;
    if (this.#notes === undefined || this.#loaded === undefined || (fresh.length === 0 && !gone)) return;
    const rows = Buffer.alloc(fresh.length * rowBytes);
    const view = viewOf(rows);
    let start = 0;
    for (const { identity, digest } of fresh) {
      writeIdentity(view, start, identity);
      rows.write(digest.slice('sha256:'.length), start + numbers * 8, 32, 'hex');
      start += rowBytes;
    }
    // Of a file that has been written anew its last state is enough: so what is kept does not grow without end.
    const kept = this.#keepsAll ? this.#table.besides(inode => this.#addedByInode.has(inode)) : this.#table.found();
    await this.#notes.putNotes(this.#key, [...kept, rows], options);
  }
}

/** Rows as they were read, found by open addressing: no object for each of a million files. */
class Table {
  readonly #rows: Buffer;
  readonly #view: DataView;
  readonly #count: number;
  /** Number of a row + 1 by hash of its inode. */
  readonly #slots: Int32Array;
  readonly #seen: Uint8Array;
  #seenCount = 0;

  constructor(rows: Uint8Array | undefined) {
    const usable = rows !== undefined && rows.length % rowBytes === 0 ? rows : new Uint8Array(0);
    this.#rows = Buffer.from(usable.buffer, usable.byteOffset, usable.length);
    this.#view = viewOf(this.#rows);
    this.#count = usable.length / rowBytes;
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(this.#count * 2 + 1)));
    this.#seen = new Uint8Array(this.#count);
    for (let row = 0; row < this.#count; row++) {
      let slot = this.#slotOf(this.#rows.readUInt32LE(row * rowBytes + 8));
      while (this.#slots[slot] !== 0) slot = (slot + 1) & (this.#slots.length - 1);
      this.#slots[slot] = row + 1;
    }
  }

  get allFound(): boolean {
    return this.#seenCount === this.#count;
  }

  find(identity: HostIdentity): Digest | undefined {
    if (this.#count === 0) return undefined;
    let slot = this.#slotOf(Number(BigInt.asUintN(32, identity.ino)));
    for (; this.#slots[slot] !== 0; slot = (slot + 1) & (this.#slots.length - 1)) {
      const row = this.#slots[slot]! - 1;
      const start = row * rowBytes;
      if (!isIdentity(this.#view, start, identity)) continue;
      if (this.#seen[row] === 0) {
        this.#seen[row] = 1;
        this.#seenCount += 1;
      }
      return `sha256:${this.#rows.toString('hex', start + numbers * 8, start + rowBytes)}` as Digest;
    }
    return undefined;
  }

  /** The rows that were found: what is left is of files that are gone or changed. */
  found(): Generator<Buffer> {
    return this.#where(row => this.#seen[row] === 1);
  }

  /** The rows of other files than these; those that were found are of what is there now. */
  besides(inodes: (inode: bigint) => boolean): Generator<Buffer> {
    return this.#where(row => this.#seen[row] === 1 || !inodes(this.#rows.readBigUInt64LE(row * rowBytes + 8)));
  }

  *#where(wanted: (row: number) => boolean): Generator<Buffer> {
    for (let row = 0, from = 0; row <= this.#count; row++) {
      if (row < this.#count && wanted(row)) continue;
      if (row > from) yield this.#rows.subarray(from * rowBytes, row * rowBytes);
      from = row + 1;
    }
  }

  #slotOf(inode: number): number {
    return (Math.imul(inode, 0x9e3779b1) >>> 7) & (this.#slots.length - 1);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function writeIdentity(view: DataView, at: number, { dev, ino, size, mtimeNs, ctimeNs, mode }: HostIdentity): void {
  view.setBigInt64(at, dev, true);
  view.setBigInt64(at + 8, ino, true);
  view.setBigInt64(at + 16, size, true);
  view.setBigInt64(at + 24, mtimeNs, true);
  view.setBigInt64(at + 32, ctimeNs, true);
  view.setBigInt64(at + 40, BigInt(mode), true);
}

/** Whether that is what {@link writeIdentity} wrote there. */
function isIdentity(view: DataView, at: number, { dev, ino, size, mtimeNs, ctimeNs, mode }: HostIdentity): boolean {
  return (
    view.getBigInt64(at + 8, true) === BigInt.asIntN(64, ino) &&
    view.getBigInt64(at, true) === BigInt.asIntN(64, dev) &&
    view.getBigInt64(at + 16, true) === size &&
    view.getBigInt64(at + 24, true) === mtimeNs &&
    view.getBigInt64(at + 32, true) === ctimeNs &&
    view.getBigInt64(at + 40, true) === BigInt(mode)
  );
}

function sameIdentity(a: HostIdentity, b: HostIdentity): boolean {
  return (
    a.dev === b.dev &&
    a.ino === b.ino &&
    a.size === b.size &&
    a.mtimeNs === b.mtimeNs &&
    a.ctimeNs === b.ctimeNs &&
    a.mode === b.mode
  );
}
