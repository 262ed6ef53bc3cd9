import type { ContextNotes } from '../content/content.js';
import type { SpanNote, SpanNotes } from '../layer/span-notes.js';
import type { CallOptions } from '../stream/bytes.js';
import { codeDigest } from './code-digest.js';
import { recordKey } from './record.js';
import type { StatCacheOptions } from './stat-cache.js';

/** Changes with the rows: what other versions wrote is not looked at. */
const formatVersion = 1;

type Row = readonly [path: string, count: number, looksAhead: boolean, digest: string, keys: readonly string[]];

/** How many are kept of those that nobody has come to: other Dockerfiles on the same folder have others. */
const mostOthers = 4;
const fewRows = 1000;

/**
 * What segments of layers have been found out to be, by what `stat` says of the files that are in them: so a layer of which
 * little has changed is planned without a look at each file. Spans with files that changed so lately that `stat` could not
 * tell are not kept.
 */
export class StoredSpans implements SpanNotes {
  readonly #notes: ContextNotes | undefined;
  readonly #key: string;
  readonly #now: number;
  readonly #known = new Map<string, SpanNote>();
  /** By path: those that this build has come to. */
  readonly #current = new Map<string, SpanNote>();
  #changed = false;
  #loaded: Promise<void> | undefined;

  /** As a `StatCache`. */
  constructor(notes?: ContextNotes, { directories, now }: StatCacheOptions = { directories: [], now: 0 }) {
    this.#notes = notes;
    const code = codeDigest;
    this.#key = recordKey({ kind: 'spans', version: formatVersion, code, directories: [...directories].sort() });
    this.#now = now * 1e6;
  }

  /** Reads what was kept. To be awaited before anything is looked up. */
  load(options: CallOptions = {}): Promise<void> {
    this.#loaded ??= (async () => {
      const bytes = await this.#notes?.getNotes(this.#key, options);
      for (const [path, count, looksAhead, digest, keys] of decode(bytes)) {
        this.#known.set(path, { count, looksAhead, digest, keys });
      }
    })();
    return this.#loaded;
  }

  find(path: string): SpanNote | undefined {
    return this.#known.get(path);
  }

  keep(path: string, note: SpanNote): void {
    this.#current.set(path, note);
  }

  add(path: string, note: SpanNote, settledFrom: number): void {
    if (settledFrom > this.#now) return;
    this.keep(path, note);
    const known = this.#known.get(path);
    if (known?.digest !== note.digest || known.keys.join() !== note.keys.join()) this.#changed = true;
  }

  /** Writes what was found or noted since it was opened, unless that is what is there. */
  async save(options: CallOptions = {}): Promise<void> {
    if (this.#notes === undefined || !this.#changed) return;
    await this.load(options);
    const rows: Row[] = [];
    const others = Math.max(fewRows, mostOthers * this.#current.size);
    for (const [path, note] of this.#current) rows.push(rowOf(path, note));
    for (const [path, note] of this.#known) {
      if (rows.length >= this.#current.size + others) break;
      if (!this.#current.has(path)) rows.push(rowOf(path, note));
    }
    await this.#notes.putNotes(this.#key, [Buffer.from(JSON.stringify(rows))], options);
  }
}

function rowOf(path: string, { count, looksAhead, digest, keys }: SpanNote): Row {
  return [path, count, looksAhead, digest, keys];
}

/** What cannot be such is taken for nothing. */
function decode(bytes: Uint8Array | undefined): readonly Row[] {
  if (bytes === undefined) return [];
  try {
    const rows: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'));
    return Array.isArray(rows) ? rows : [];
  } catch {
    return [];
  }
}
