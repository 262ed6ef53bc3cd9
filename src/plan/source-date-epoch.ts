import type { SourceRange } from '../errors/errors.js';
import type { GitReference } from './git-reference.js';
import { invalidValue } from './refusal.js';

/** Where the time of a build comes from, other than from the number that SOURCE_DATE_EPOCH usually is. */
export type EpochSource =
  /** The main context. */
  | { readonly kind: 'context' }
  /** A named context, as it is called in full. */
  | { readonly kind: 'named'; readonly name: string }
  /** What the one ADD of a stage fetches. */
  | {
      readonly kind: 'http';
      readonly url: string;
      readonly checksum?: string | undefined;
      readonly range: SourceRange;
    }
  | { readonly kind: 'git'; readonly reference: GitReference; readonly range: SourceRange };

/** What was found where SOURCE_DATE_EPOCH said: whole seconds since 1970, or no time. */
export interface FoundEpoch {
  readonly seconds?: number | undefined;
}

export const epochName = 'SOURCE_DATE_EPOCH';

/** Whole seconds since 1970 in their shortest spelling; `undefined` for what is no such number. */
export function epochSeconds(text: string): string | undefined {
  const seconds = /^[+-]?\d{1,19}$/.test(text) ? BigInt(text.replace(/^\+/, '')) : undefined;
  return seconds !== undefined && BigInt.asIntN(64, seconds) === seconds ? String(seconds) : undefined;
}

/** Refuses a value that is neither a time nor the name of something that has one. */
export function invalidEpoch(text: string): unknown {
  const hint = 'Give the time as whole seconds since 1970, for example the output of: git log -1 --format=%ct';
  return invalidValue(epochName, text, `invalid ${epochName}: ${text}`, hint);
}
