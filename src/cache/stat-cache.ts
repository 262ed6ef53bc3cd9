import type { ContextNotes } from '../content/content.js';
import type { Digest } from '../oci/digest.js';
import type { CallOptions } from '../stream/bytes.js';
import type { HostIdentity } from '../tree/node.js';
import { recordKey } from './record.js';

/** Changes with the rows: what other versions wrote is not looked at. */
const formatVersion = 1;

/** A row: six numbers of 64 bits (device, inode, size, mtime and ctime in ns, mode), then the SHA-256. */
const numbers = 6;
const rowBytes = numbers * 8 + 32;

/**
 * How near to the present a file's times may be for its row to be kept, in ns. A file that is written to again within one
 * tick of its file system's clock keeps its times, so what was read of it can be of before (git calls such entries racy).
 * Ticks are a few ms, but whole seconds, or two, on file systems that keep no fractions.
 */
const fineSlack = 100_000_000n;
const coarseSlack = 2_100_000_000n;

export interface StatCacheOptions extends CallOptions {
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
  readonly #now: bigint;
  readonly #table: Table;
  readonly #added: Array<{ readonly identity: HostIdentity; readonly digest: Digest }> = [];
  readonly #addedByInode = new Map<bigint, number[]>();

  private constructor(notes: ContextNotes | undefined, key: string, now: bigint, table: Table) {
    this.#notes = notes;
    this.#key = key;
    this.#now = now;
    this.#table = table;
  }

  /** One that is forgotten with the object. */
  static inMemory(): StatCache {
    return new StatCache(undefined, '', 0n, new Table(undefined));
  }

  static async open(notes: ContextNotes, { directories, now, signal }: StatCacheOptions): Promise<StatCache> {
    const key = recordKey({ kind: 'stat-cache', version: formatVersion, directories: [...directories].sort() });
    const rows = await notes.getNotes(key, { signal });
    return new StatCache(notes, key, BigInt(now) * 1_000_000n, new Table(rows));
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
    const fresh = this.#added.filter(({ identity }) => !this.#isRacy(identity));
    if (this.#notes === undefined || (fresh.length === 0 && this.#table.allFound)) return;
    const rows = Buffer.alloc(fresh.length * rowBytes);
    for (const [place, { identity, digest }] of fresh.entries()) {
      const start = place * rowBytes;
      for (const [i, number] of identityNumbers(identity).entries()) rows.writeBigInt64LE(number, start + i * 8);
      rows.write(digest.slice('sha256:'.length), start + numbers * 8, 32, 'hex');
    }
    await this.#notes.putNotes(this.#key, [...this.#table.found(), rows], options);
  }

  #isRacy({ mtimeNs, ctimeNs }: HostIdentity): boolean {
    const coarse = ctimeNs % 1_000_000_000n === 0n;
    const newest = ctimeNs > mtimeNs ? ctimeNs : mtimeNs;
    return newest > this.#now - (coarse ? coarseSlack : fineSlack);
  }
}

/** Rows as they were read, found by open addressing: no object for each of a million files. */
class Table {
  readonly #rows: Buffer;
  readonly #count: number;
  /** Number of a row + 1 by hash of its inode. */
  readonly #slots: Int32Array;
  readonly #seen: Uint8Array;
  #seenCount = 0;

  constructor(rows: Uint8Array | undefined) {
    const usable = rows !== undefined && rows.length % rowBytes === 0 ? rows : new Uint8Array(0);
    this.#rows = Buffer.from(usable.buffer, usable.byteOffset, usable.length);
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
    const wanted = identityNumbers(identity);
    let slot = this.#slotOf(Number(BigInt.asUintN(32, identity.ino)));
    for (; this.#slots[slot] !== 0; slot = (slot + 1) & (this.#slots.length - 1)) {
      const row = this.#slots[slot]! - 1;
      const start = row * rowBytes;
      if (wanted.some((number, i) => this.#rows.readBigInt64LE(start + i * 8) !== number)) continue;
      if (this.#seen[row] === 0) {
        this.#seen[row] = 1;
        this.#seenCount += 1;
      }
      return `sha256:${this.#rows.toString('hex', start + numbers * 8, start + rowBytes)}` as Digest;
    }
    return undefined;
  }

  /** The rows that were found: what is left is of files that are gone or changed. */
  *found(): Generator<Buffer> {
    for (let row = 0, from = 0; row <= this.#count; row++) {
      if (row < this.#count && this.#seen[row] === 1) continue;
      if (row > from) yield this.#rows.subarray(from * rowBytes, row * rowBytes);
      from = row + 1;
    }
  }

  #slotOf(inode: number): number {
    return (Math.imul(inode, 0x9e3779b1) >>> 7) & (this.#slots.length - 1);
  }
}

function identityNumbers({ dev, ino, size, mtimeNs, ctimeNs, mode }: HostIdentity): bigint[] {
  return [BigInt.asIntN(64, dev), BigInt.asIntN(64, ino), size, mtimeNs, ctimeNs, BigInt(mode)];
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
