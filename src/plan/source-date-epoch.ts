import { LadingError } from '../errors/errors.js';
import { invalidValue } from './refusal.js';

/**
 * Reads SOURCE_DATE_EPOCH: whole seconds since 1970, given back in their shortest spelling; empty is not set.
 * `others` are names that BuildKit would take for a source of the time.
 * @throws LadingError UNSUPPORTED for `context` and names of contexts and stages, INVALID_VALUE for anything else
 */
export function parseSourceDateEpoch(text: string, others: ReadonlySet<string>): string | undefined {
  if (text === '') return undefined;
  const seconds = /^[+-]?\d{1,19}$/.test(text) ? BigInt(text.replace(/^\+/, '')) : undefined;
  if (seconds !== undefined && BigInt.asIntN(64, seconds) === seconds) return String(seconds);
  const hint = 'Give the time as whole seconds since 1970, for example the output of: git log -1 --format=%ct';
  if (text === 'context' || others.has(text.toLowerCase())) {
    const feature = 'SOURCE_DATE_EPOCH taken from a context or a stage';
    throw new LadingError('UNSUPPORTED', `${feature} is not supported: ${text}`, { details: { feature }, hint });
  }
  throw invalidValue('SOURCE_DATE_EPOCH', text, `invalid SOURCE_DATE_EPOCH: ${text}`, hint);
}
