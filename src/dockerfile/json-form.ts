import { trimSpaceStart } from './go-text.js';
import { Problem } from './problem.js';

/**
 * The strings of an argument in JSON form, `undefined` when it is not valid JSON and so is taken as plain text.
 *
 * @throws Problem when it is a valid array with anything but strings in it
 */
export function parseJsonForm(text: string): readonly string[] | undefined {
  const trimmed = trimSpaceStart(text);
  if (!trimmed.startsWith('[')) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(trimmed);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parsed) || !parsed.every(element => typeof element === 'string')) {
    throw new Problem(
      'when using JSON array syntax, arrays must be comprised of strings only',
      'Put every element in double quotes.',
    );
  }
  return parsed.map(element => element.toWellFormed());
}
