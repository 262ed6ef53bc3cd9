import { entryCount, firstPath } from './file-run.js';
import { type KnownSpan, piecesBefore, piecesBehind, type SegmentPlan } from './segment-plan.js';
import type { SimilarLayer } from './similar-layer.js';
import { spanDigest, spanSettledFrom } from './span-digest.js';

/** What has been found out of segments before, by what `stat` says of the files in them. */
export interface SpanNotes {
  /** Of the segments that began with this path. */
  find(path: string): SpanNote | undefined;
  /** Notes that there are such segments. `settledFrom`: of their files, see `settled.ts`. */
  add(path: string, note: SpanNote, settledFrom: number): void;
  /** Notes that what was found is so still: nobody is going to look at the files. */
  keep(path: string, note: SpanNote): void;
}

export interface SpanNote extends Pick<KnownSpan, 'count' | 'looksAhead'> {
  /** See `spanDigest`. */
  readonly digest: string;
  /** See `segmentKey`. */
  readonly keys: readonly string[];
}

/** Finds segments of a similar layer by what has been noted of them. */
export function findSpans(spans: SpanNotes, recipe: string, similar: SimilarLayer) {
  return (path: string): KnownSpan | undefined => {
    const note = spans.find(path);
    const segments = note?.keys.flatMap(key => {
      const stored = similar.find(key);
      return stored === undefined ? [] : { key, size: stored.size };
    });
    // A large file is taken over whole or made whole.
    if (note === undefined || segments!.length < note.keys.length) return undefined;
    const { count, looksAhead, digest } = note;
    return {
      count,
      looksAhead,
      identify: span => {
        if (spanDigest(recipe, span) !== digest) return undefined;
        spans.keep(path, note);
        return segments;
      },
    };
  };
}

/** Notes what has been found out of the segments of a layer, in any order but for pieces of one file. */
export class SpanRecorder {
  readonly #spans: SpanNotes;
  readonly #recipe: string;
  /** Of large files of which not all pieces have come, by path. */
  readonly #pieces = new Map<string, string[]>();

  constructor(spans: SpanNotes, recipe: string) {
    this.#spans = spans;
    this.#recipe = recipe;
  }

  add(plan: SegmentPlan, key: string): void {
    const { span } = plan;
    if (span === undefined) return;
    const path = firstPath(span.items[0]!);
    const before = piecesBefore(plan);
    const behind = piecesBehind(plan);
    const keys = this.#pieces.get(path) ?? [];
    keys.push(key);
    if (behind > 0) {
      if (keys.length === before + 1) this.#pieces.set(path, keys);
      return;
    }
    this.#pieces.delete(path);
    const digest = keys.length === before + 1 ? spanDigest(this.#recipe, span) : undefined;
    if (digest === undefined) return;
    const count = span.items.reduce((sum, item) => sum + entryCount(item), 0);
    const note = { count, looksAhead: span.next !== undefined, digest, keys };
    this.#spans.add(path, note, spanSettledFrom(span));
  }
}
