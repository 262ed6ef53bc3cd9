import type * as z from 'zod/mini';
import { LadingError } from '../errors/errors.js';
import { matchSchema } from './match-schema.js';

/**
 * Parses the bytes of a JSON document of an image and checks it against its schema.
 * @throws LadingError INVALID_DOCUMENT naming the document, and the first place that is wrong
 */
export function parseDocument<T>(bytes: Uint8Array, schema: z.ZodMiniType<T>, what: string, digest?: string): T {
  const fail = (problem: string, cause?: unknown): LadingError =>
    new LadingError('INVALID_DOCUMENT', `not a valid ${what}${digest ? ` (${digest})` : ''}: ${problem}`, {
      details: { what, digest, problem },
      cause,
    });
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw fail(error instanceof Error ? error.message : 'unreadable', error);
  }
  const match = matchSchema(value, schema);
  if (match.problem !== undefined) throw fail(match.problem);
  return match.value;
}

/**
 * JSON as Go's encoder writes it (`<`, `>`, `&`, U+2028 and U+2029 escaped), so that documents compare byte for byte
 * with those of other builders. Keys keep the order in which the object has them.
 */
export function encodeJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replace(
    /[<>&\u2028\u2029]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
