import { LadingError } from '../errors/errors.js';
import type { CallOptions } from '../stream/bytes.js';
import type { Secrets } from './inputs.js';

/**
 * A secret that goes into a header; `undefined` when there is none, or an empty one. A line end behind it is none of it:
 * files end with one. `what` says what it is to be.
 * @throws LadingError INVALID_VALUE, without the value, for what cannot be sent
 */
export async function headerSecret(
  id: string,
  what: string,
  secrets: Secrets,
  options?: CallOptions,
): Promise<string | undefined> {
  const value = (await secrets.read(id, options))?.toString('latin1').replace(/[\r\n]+$/, '');
  if (value === undefined || value === '') return undefined;
  if (/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return value;
  throw new LadingError('INVALID_VALUE', `the secret ${id} cannot be sent: a header is one line of text`, {
    details: { what: 'secret', value: id },
    hint: `Give ${what}, in one line.`,
  });
}
