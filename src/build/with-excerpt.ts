import { formatExcerpt } from '../dockerfile/excerpt.js';
import { atPlace, isLadingError, type SourceRange } from '../errors/errors.js';

/** The failure with the lines of the Dockerfile that it comes from: its own place, or else `range`. */
export function withExcerpt(error: unknown, range: SourceRange, text: string): unknown {
  const known = isLadingError(error) ? error.place : undefined;
  const at = known?.range ?? range;
  return atPlace(error, { range: at, excerpt: formatExcerpt(text, at, known?.also) });
}
