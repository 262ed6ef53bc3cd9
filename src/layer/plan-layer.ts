import { setImmediate } from 'node:timers/promises';
import type { Digest } from '../oci/digest.js';
import { digestBytes, setDigest } from '../oci/digest-bytes.js';
import type { CallOptions } from '../stream/bytes.js';
import type { FileNode } from '../tree/node.js';
import type { LayerItem } from './file-run.js';
import { contentsOf, segmentKey } from './segment-key.js';
import { piecesBefore, piecesBehind, planSegments, planUnknown, type SegmentPlan } from './segment-plan.js';
import type { SimilarLayer, StoredSegment } from './similar-layer.js';
import { findSpans, type SpanNotes, SpanRecorder } from './span-notes.js';

/** The digests of files, known before they are packed. */
export interface KnownDigests {
  /** Puts that of a file into its place; returns whether it is known. */
  readonly readDigest: (file: FileNode, digests: Uint8Array, at: number) => boolean;
  /** Makes the digests of these files known. Without it a layer with unknown files is not planned. */
  readonly learn?: ((files: readonly FileNode[]) => Promise<void>) | undefined;
}

export interface PlanLayerOptions extends CallOptions, KnownDigests {
  /** See `SegmentFormat`. */
  readonly recipe: string;
  readonly spans?: SpanNotes | undefined;
  readonly similar?: SimilarLayer | undefined;
  /**
   * Told of the first segments as soon as it is certain what is to be done for them: in order, of as many that are in the
   * similar layer as there are, but of few that are to be made.
   */
  readonly onSegment?: ((segment: PlannedSegment) => void) | undefined;
}

/** What is to be done for a segment of a layer. */
export type PlannedSegment = SegmentToMake | SegmentToTake;

export interface SegmentToMake {
  readonly plan: SegmentPlan;
  /** Of the file of each part that has content, where they are known. */
  readonly digests?: Uint8Array | undefined;
}

/** One that lies in a blob already. */
export interface SegmentToTake {
  /** Bytes into the tar. */
  readonly offset: number;
  readonly key: string;
  readonly stored: StoredSegment;
}

/** A layer of which everything is known but its bytes. */
export interface LayerPlan {
  /** What it holds and how it is packed: layers with the same are the same. In hexadecimal. */
  readonly contents: string;
  /** In order; to be walked once. */
  readonly segments: () => Iterable<PlannedSegment>;
  /** The same with nothing taken over. */
  readonly anew: () => Iterable<SegmentToMake>;
}

/** Parts of segments that wait for their digests: many enough that threads share them well. */
const mostWaiting = 4000;
/** How long they wait: whoever is told of segments has been told of none behind them. */
const waitingMs = 20;
/** Parts of segments to be made that are kept: more would be much of the memory of a build. */
const mostKept = 20_000;
/** Segments to be made that are told of before the layer is planned: it may turn out that there is such a layer. */
const mostAhead = 8;
/** Little, as others may be at work on what they have been told of, and wait to be answered. */
const turnMs = 2;

/** Segments that nothing is known of but their entries. */
export function* unplanned(entries: Iterable<LayerItem>): Generator<SegmentToMake> {
  for (const plan of planSegments(entries)) yield { plan };
}

/**
 * Finds out what is in each segment of a layer, and which of them a similar layer has. `undefined` when a digest is not
 * known and cannot be. Entries are walked again only when nothing is to be taken over after all, or when so many segments
 * are to be made that they could not be kept.
 * @throws LadingError what `planSegments` and `learn` do
 */
export async function planLayer(
  entries: Iterable<LayerItem>,
  { recipe, similar, spans, readDigest, learn, onSegment, signal }: PlanLayerOptions,
): Promise<LayerPlan | undefined> {
  const keys: string[] = [];
  const found: Array<PlannedSegment | undefined> = [];
  const waiting = new Map<number, SegmentPlan>();
  let kept = 0;
  let unknown = 0;
  let since = 0;
  const taken = (place: number): boolean => found[place] !== undefined && 'stored' in found[place];
  const known = digestReader(readDigest);
  const name = (place: number, plan: SegmentPlan, digests: Uint8Array): void => {
    const { offset, count } = plan;
    const key = segmentKey(recipe, plan, digests);
    keys[place] = key;
    recorder?.add(plan, key);
    found[place] = undefined;
    // A large file is taken over whole or made whole: it is held to its digest over all its pieces.
    const pieces = piecesBefore(plan);
    const stored = pieces > 0 && !taken(place - 1) ? undefined : similar?.find(key);
    if (stored !== undefined) found[place] = { offset, key, stored };
    else {
      for (let before = place - pieces; before < place; before++) if (taken(before)) found[before] = undefined;
      if (kept + count > mostKept) return;
      kept += count;
      found[place] = { plan, digests: digests.slice() };
    }
  };
  const recorder = spans && new SpanRecorder(spans, recipe);
  const teller = onSegment && segmentTeller(found, onSegment);
  const learnWaiting = async (): Promise<void> => {
    await learn!([...waiting.values()].flatMap(contentFiles));
    for (const [place, plan] of waiting) name(place, plan, known(plan)!);
    waiting.clear();
    unknown = 0;
  };
  let place = 0;
  let turn = performance.now();
  const identified = similar && spans && findSpans(spans, recipe, similar);
  for (const plan of identified === undefined ? planSegments(entries) : planUnknown(entries, identified)) {
    if (performance.now() - turn >= turnMs) {
      await setImmediate();
      signal?.throwIfAborted();
      turn = performance.now();
    }
    if ('key' in plan) {
      const { key, offset } = plan;
      keys[place] = key;
      found[place] = { key, offset, stored: similar!.find(key)! };
      teller?.planned(place);
      place += 1;
      teller?.tell(waiting.size === 0 ? place : waiting.keys().next().value!);
      continue;
    }
    const digests = known(plan);
    teller?.planned(place, plan);
    if (digests !== undefined) name(place, plan, digests);
    else if (learn === undefined) return undefined;
    else {
      if (waiting.size === 0) since = performance.now();
      waiting.set(place, plan);
      unknown += plan.count;
    }
    if (unknown >= mostWaiting || (unknown > 0 && turn - since >= waitingMs)) await learnWaiting();
    place += 1;
    teller?.tell(waiting.size === 0 ? place : waiting.keys().next().value!);
  }
  if (waiting.size > 0) await learnWaiting();
  function* anew(): Generator<SegmentToMake> {
    for (const plan of planSegments(entries)) yield { plan, digests: known(plan)?.slice() };
  }
  function* segments(): Generator<PlannedSegment> {
    let place = 0;
    if (found.includes(undefined)) for (const segment of anew()) yield found[place++] ?? segment;
    else yield* found as readonly PlannedSegment[];
  }
  return { contents: contentsOf(keys), segments, anew };
}

/** Tells of segments for which nothing changes any more: a large file may still be made whole for one of its last pieces. */
function segmentTeller(found: ReadonlyArray<PlannedSegment | undefined>, onSegment: (segment: PlannedSegment) => void) {
  let told = 0;
  let made = 0;
  /** The piece of a large file that was planned last: its place, that of the first one, and how many are to come. */
  let pieces = { first: 0, rest: 0 };
  return {
    planned: (place: number, plan?: SegmentPlan): void => {
      pieces =
        plan === undefined
          ? { first: place, rest: 0 }
          : { first: place - piecesBefore(plan), rest: piecesBehind(plan) };
    },
    /** `end`: those before it are known. */
    tell: (end: number): void => {
      const certain = pieces.rest > 0 ? Math.min(end, pieces.first) : end;
      for (; told < certain && made < mostAhead; told++) {
        const segment = found[told];
        if (segment === undefined) made = mostAhead;
        else {
          if (!('stored' in segment)) made += 1;
          onSegment(segment);
        }
      }
    },
  };
}

/** For whoever has them as texts. */
export function readDigestBy(digestOf: (file: FileNode) => Digest | undefined): KnownDigests['readDigest'] {
  return (file, digests, at) => {
    const digest = digestOf(file);
    if (digest !== undefined) setDigest(digests, at, digest);
    return digest !== undefined;
  };
}

/** Reads the digests of all files of a segment, into memory that is used again for the next; nothing when one is not known. */
function digestReader(readDigest: KnownDigests['readDigest']): (plan: SegmentPlan) => Uint8Array | undefined {
  let digests = new Uint8Array(0);
  return plan => {
    if (digests.length < plan.count * digestBytes) digests = new Uint8Array(2 * plan.count * digestBytes);
    let end = 0;
    for (const file of contentFiles(plan)) {
      if (!readDigest(file, digests, end)) return undefined;
      end += digestBytes;
    }
    return digests.subarray(0, end);
  };
}

/** The files of a segment that have content, in order. */
function contentFiles({ items }: SegmentPlan): FileNode[] {
  const files: FileNode[] = [];
  for (const item of items) {
    if ('run' in item) {
      for (const node of item.run.nodes) if (node.size > 0) files.push(node);
    } else if (item.content !== undefined) files.push(item.content.node);
  }
  return files;
}
