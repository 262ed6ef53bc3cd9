import type { ContextNotes } from '../content/content.js';
import type { CallOptions } from '../stream/bytes.js';
import { type HostIdentity, identityTimes } from '../tree/host-identity.js';
import { settledFrom } from '../tree/settled.js';
import { DigestTable, digestRowBytes } from './digest-table.js';
import { recordKey } from './record.js';

/** Changes with the rows: what other versions wrote is not looked at. */
const formatVersion = 1;

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
  #table = new DigestTable();
  #loaded: Promise<void> | undefined;
  #keepsAll = false;

  /** Without `notes` it is forgotten with the object. Nothing is read before {@link load}. */
  constructor(notes?: ContextNotes, { directories, now }: StatCacheOptions = { directories: [], now: 0 }) {
    this.#notes = notes;
    this.#key = recordKey({ kind: 'stat-cache', version: formatVersion, directories: [...directories].sort() });
    this.#now = now * 1e6;
  }

  /** Whether what was kept has been asked for. */
  get isLoaded(): boolean {
    return this.#loaded !== undefined;
  }

  /** Reads what was kept. Before, nothing is known but what has been noted: a build that reads few files does not need it. */
  load(options: CallOptions = {}): Promise<void> {
    this.#loaded ??= (async () => {
      const rows = await this.#notes?.getNotes(this.#key, options);
      // What has been noted meanwhile, or before, is not lost.
      const early = this.#table;
      this.#table = new DigestTable(rows);
      for (const [identity, digests, at] of early.all()) this.#table.add(identity, digests, at);
    })();
    return this.#loaded;
  }

  /** How many files are known of, without reading what. */
  async size(): Promise<number> {
    return ((await this.#notes?.notesSize(this.#key)) ?? 0) / digestRowBytes;
  }

  /** Not all files are looked up this time although they are there: what is known of the others stays. */
  keepAll(): void {
    this.#keepsAll = true;
  }

  /** Puts the digest of a file into its place; returns whether it is known. */
  read(identity: HostIdentity, digests: Uint8Array, at: number): boolean {
    return this.#table.read(identity, digests, at);
  }

  /** Notes what has been read of a file, and stands in that place among digests; nothing is said of it twice. */
  add(identity: HostIdentity, digests: Uint8Array, at: number): void {
    this.#table.add(identity, digests, at);
  }

  /** Writes what was looked up or noted since it was opened, unless that is what is there. */
  async save(options: CallOptions = {}): Promise<void> {
    if (this.#notes === undefined || this.#loaded === undefined) return;
    const table = this.#table;
    let added = false;
    const rows = table.rows(row => {
      if (table.isNew(row)) {
        const kept = this.#settled(table.identity(row));
        added ||= kept;
        return kept;
      }
      // What is left is of files that are gone; of one that has been written anew its last state is enough.
      return this.#keepsAll ? !table.wasReplaced(row) : table.wasFound(row);
    });
    const gone = !this.#keepsAll && !table.allFound;
    if (added || gone) await this.#notes.putNotes(this.#key, rows, options);
  }

  #settled(identity: HostIdentity): boolean {
    const { mtime, ctime } = identityTimes(identity);
    return settledFrom(mtime, ctime) <= this.#now;
  }
}
