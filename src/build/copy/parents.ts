import type { PatternMatcher } from '../../dockerfile/ignore.js';
import { patternMatcher } from '../../dockerfile/ignore.js';
import { hasMeta } from '../../dockerfile/match.js';
import { cleanComponents, cleanPath } from '../../tree/path.js';
import type { Inclusion } from './copier.js';

/** A `COPY --parents` source: what is copied from, and which part of it. */
export interface ParentsSource {
  /** The part before the first `/./`, empty without one: its content is copied. */
  readonly base: string;
  readonly inclusion: Inclusion;
  /** The whole path when nothing in it is a wildcard: it must be there. */
  readonly required?: string | undefined;
}

export function parentsSource(source: string): ParentsSource {
  const absolute = `/${source.replace(/^(\.\/)+/, '')}`;
  const pivot = absolute.indexOf('/./');
  const base = pivot < 0 ? '' : cleanPath(absolute.slice(0, pivot));
  const rest = cleanComponents(pivot < 0 ? absolute : absolute.slice(pivot + 3));
  const literal = !hasMeta(base) && !rest.some(hasMeta);
  return {
    base,
    inclusion: inclusionOf(rest),
    required: literal ? [base, ...rest].filter(Boolean).join('/') : undefined,
  };
}

function inclusionOf(rest: readonly string[]): Inclusion {
  if (rest.length === 0) return { includes: () => true, reaches: () => true };
  const matcher: PatternMatcher = patternMatcher([rest.join('/')]);
  const firstWildcard = rest.findIndex(hasMeta);
  const fixed = firstWildcard < 0 ? rest : rest.slice(0, firstWildcard);
  return {
    includes: path => matcher.ignores(path),
    // Folders off the fixed part need not be looked into.
    reaches: directory => directory.split('/').every((name, i) => i >= fixed.length || fixed[i] === name),
  };
}
