/**
 * Where a layer's tar is cut. Each segment is compressed on its own, so the cuts decide bytes: they depend on the
 * entries alone, never on time or concurrency. They are chosen by the paths around them (content-defined, as in
 * deduplicating backup programs), so that a file that grows or comes new moves the cuts near it and no others, and the
 * segments further on can be taken over from an earlier layer.
 */
import type { FileNode } from '../tree/node.js';
import type { LayerEntry } from './entry.js';
import { entryHeader, LinkTargets } from './entry-header.js';
import { type FileRun, firstPath, type LayerItem, runEntry } from './file-run.js';
import { ItemReader } from './item-reader.js';
import { type PlainFiles, partsOfPlain, plainLength, plainTest } from './plain-files.js';
import { blockSize, paddedSize } from './tar-fields.js';
import type { PreparedHeader } from './tar-header.js';

/** Bytes below which a segment is not cut, and what comes on top of them on average. */
const smallestCut = 512 * 1024;
const averageRest = 512 * 1024;
/** Bytes past which small files are not added to a segment. */
const largestSegment = 2 * 1024 * 1024;
/** Files above this size have segments of their own, cut at multiples of it. */
const pieceSize = 1024 * 1024;
export const endMarkerSize = 2 * blockSize;

/** Room that any segment fits in: the largest one, with a header of the largest size in front. */
export const segmentCapacity = largestSegment + 8 * 1024;

/** A header, a file's content (whole or a piece), or both, at a place in a segment. */
export interface SegmentPart {
  /** Bytes into the segment. */
  readonly at: number;
  readonly entry: LayerEntry;
  /** Absent on the further pieces of a large file. */
  readonly header?: PreparedHeader | undefined;
  readonly content?: FilePiece | undefined;
}

export interface FilePiece {
  readonly node: FileNode;
  /** Bytes into the file. */
  readonly start: number;
  readonly length: number;
}

/** A class, for V8 keeps for long what getters of single objects hold on to. */
export class SegmentPlan {
  /** Bytes into the tar. */
  readonly offset: number;
  readonly size: number;
  readonly items: ReadonlyArray<SegmentPart | PlainFiles>;
  /** How many parts there are. */
  readonly count: number;
  /** The last segment ends with the end marker. */
  readonly last: boolean;
  /** Of which entries it is, or the large file that it is a piece of; of the last segment nobody is told. */
  readonly span: Span | undefined;
  #parts: readonly SegmentPart[] | undefined;

  constructor({ offset, size, items, count, last, span }: Omit<SegmentPlan, 'parts'>) {
    this.offset = offset;
    this.size = size;
    this.items = items;
    this.count = count;
    this.last = last;
    this.span = span;
  }

  /** All of it one by one: made when it is first asked for. */
  get parts(): readonly SegmentPart[] {
    this.#parts ??= this.items.flatMap(item => ('run' in item ? partsOfPlain(item) : item));
    return this.#parts;
  }
}

/** Entries that make a segment, or a large file that makes several: wherever one begins with the same, they are the same. */
export interface Span {
  readonly items: readonly LayerItem[];
  /** The entry behind them, where the cut has been made for that one. */
  readonly next?: LayerItem | undefined;
}

/** A segment of which it is known what it holds without it having been planned. */
export interface KnownSegment {
  readonly key: string;
  readonly size: number;
}

/** A stretch of entries that may be segments that are known. */
export interface KnownSpan {
  /** How many entries there are, and whether one more has to be looked at. */
  readonly count: number;
  readonly looksAhead: boolean;
  /** Which segments they are, if the entries are those that they are known by. */
  identify(span: Span): readonly KnownSegment[] | undefined;
}

/**
 * Lazily cuts the tar of these entries into segments; there is always at least one. Entries for the root itself are
 * passed over: layers have none.
 * @throws LadingError as {@link entryHeader}
 */
export function* planSegments(items: Iterable<LayerItem>): Generator<SegmentPlan> {
  for (const plan of planUnknown(items, () => undefined)) if (!('key' in plan)) yield plan;
}

/** The same, where nothing is planned of segments that are known; `known`: by the path of their first entry. */
export function* planUnknown(
  items: Iterable<LayerItem>,
  known: (path: string) => KnownSpan | undefined,
): Generator<SegmentPlan | (KnownSegment & Pick<SegmentPlan, 'offset'>)> {
  const reader = new ItemReader(items);
  const cutter = new Cutter();
  for (let item = reader.next(); item !== undefined; item = reader.next()) {
    const candidate = cutter.isEmpty ? known(firstPath(item)) : undefined;
    if (candidate !== undefined) {
      const items = reader.span(item, candidate.count);
      const next = candidate.looksAhead ? reader.one() : undefined;
      const segments = candidate.identify({ items, next });
      if (next !== undefined) reader.putBack([next]);
      if (segments !== undefined) {
        cutter.pass(items);
        for (const segment of segments) yield { ...segment, offset: cutter.skip(segment.size) };
        continue;
      }
      reader.putBack(items);
      item = reader.next()!;
    }
    if ('path' in item) yield* cutter.entry(item, item);
    else {
      const rest = yield* cutter.run(item);
      if (rest !== undefined) reader.putBack([rest]);
    }
  }
  yield cutter.cut({ last: true });
}

class Cutter {
  readonly #links = new LinkTargets();
  #offset = 0;
  #size = 0;
  #count = 0;
  #items: Array<SegmentPart | PlainFiles> = [];
  #span: LayerItem[] = [];

  /** Whether a segment begins with what comes next. */
  get isEmpty(): boolean {
    return this.#size === 0;
  }

  /** `item`: the entry as it came. */
  *entry(entry: LayerEntry, item: LayerItem): Generator<SegmentPlan> {
    if (entry.path === '') return;
    this.#links.add(entry);
    const header = entryHeader(entry, this.#links);
    const node = 'node' in entry && entry.node.type === 'file' ? entry.node : undefined;
    if (node !== undefined && node.size > pieceSize) {
      if (this.#size > 0) yield this.cut({ next: item });
      for (let start = 0; start < node.size; start += pieceSize) {
        const length = Math.min(pieceSize, node.size - start);
        const content = { node, start, length };
        this.#items.push({ at: 0, entry, header: start === 0 ? header : undefined, content });
        this.#count = 1;
        this.#size = (start === 0 ? header.size : 0) + paddedSize(length);
        yield this.cut({ piece: item });
      }
      return;
    }
    const length = header.size + paddedSize(node?.size ?? 0);
    if (this.#isFullFor(length)) yield this.cut({ next: item });
    const content = node === undefined || node.size === 0 ? undefined : { node, start: 0, length: node.size };
    this.#items.push({ at: this.#size, entry, header, content });
    this.#count += 1;
    this.#span.push(item);
    this.#size += length;
    if (this.#size >= smallestCut && cutsBehind(hashOf(entry.path), length)) yield this.cut();
  }

  /** The same as each of its files, up to the first cut; returns those behind it. */
  *run(run: FileRun): Generator<SegmentPlan, FileRun | undefined> {
    const { folder, names, nodes, count } = run;
    const isPlain = plainTest(folder);
    const folderHash = hashOf(folder === '' ? '' : `${folder}/`);
    let from = 0;
    let at = this.#size;
    const take = (to: number): void => {
      if (to === from) return;
      const plain = from === 0 && to === count ? run : run.slice(from, to);
      this.#items.push({ at, run: plain });
      this.#count += to - from;
      this.#span.push(plain);
      from = to;
    };
    const rest = (from: number): FileRun | undefined => (from < count ? run.slice(from, count) : undefined);
    for (let place = 0; place < count; place++) {
      const name = names[place]!;
      const node = nodes[place]!;
      if (node.size > pieceSize || !isPlain(name, node)) {
        take(place);
        yield* this.entry(runEntry(run, place), run.slice(place, place + 1));
        if (this.isEmpty) return rest(place + 1);
        from = place + 1;
        at = this.#size;
        continue;
      }
      const length = plainLength(node);
      if (this.#isFullFor(length)) {
        take(place);
        yield this.cut({ next: run.slice(place, place + 1) });
        return rest(place);
      }
      this.#size += length;
      if (this.#size >= smallestCut && cutsBehind(hashOf(name, folderHash), length)) {
        take(place + 1);
        yield this.cut();
        return rest(place + 1);
      }
    }
    take(count);
    return undefined;
  }

  /** Goes on behind entries that need not be planned. */
  pass(items: readonly LayerItem[]): void {
    for (const item of items) if ('path' in item) this.#links.add(item);
  }

  /** Goes on behind a segment that need not be planned; returns where it begins. */
  skip(size: number): number {
    const offset = this.#offset;
    this.#offset += size;
    return offset;
  }

  /** `next`: why. `piece`: the large file that this is of. */
  cut({ last = false, next, piece }: { last?: boolean; next?: LayerItem; piece?: LayerItem } = {}): SegmentPlan {
    const span = last ? undefined : { items: piece === undefined ? this.#span : [piece], next };
    const size = last ? this.#size + endMarkerSize : this.#size;
    const plan = new SegmentPlan({ offset: this.#offset, size, items: this.#items, count: this.#count, last, span });
    this.#offset += this.#size;
    this.#size = 0;
    this.#count = 0;
    this.#items = [];
    this.#span = [];
    return plan;
  }

  #isFullFor(length: number): boolean {
    return this.#size > 0 && this.#size + length > largestSegment;
  }
}

/** How many segments before this one have pieces of the same file. */
export function piecesBefore(plan: SegmentPlan): number {
  return (pieceOf(plan)?.start ?? 0) / pieceSize;
}

/** How many behind it have. */
export function piecesBehind(plan: SegmentPlan): number {
  const content = pieceOf(plan);
  return content === undefined ? 0 : Math.ceil((content.node.size - content.start - content.length) / pieceSize);
}

function pieceOf({ items: [first] }: SegmentPlan): FilePiece | undefined {
  return first === undefined || 'run' in first ? undefined : first.content;
}

/** By the hash of the path, more probably behind a larger entry, so that segments come out alike in bytes. */
function cutsBehind(hash: number, length: number): boolean {
  // FNV leaves names that differ only in their last letter close to each other: spread them.
  const spread = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((spread ^ (spread >>> 13)) >>> 0) / 2 ** 32 < length / averageRest;
}

/** FNV-1a; of a text that stands behind another, from the hash of that one on. */
function hashOf(text: string, before = 0x811c9dc5): number {
  let hash = before;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}
