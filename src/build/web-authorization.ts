import { LadingError } from '../errors/errors.js';
import type { CallOptions } from '../stream/bytes.js';
import type { Secrets } from './inputs.js';

/**
 * The `Authorization` that secrets of a build hold for the host of an address, under BuildKit's names:
 * `HTTP_AUTH_TOKEN_<host>` is a bearer token, and wins over `HTTP_AUTH_HEADER_<host>`, the whole value of the header. The
 * host has no port. A line end behind the secret is none of it: files end with one.
 * @throws LadingError INVALID_VALUE, without the value, for what cannot be sent
 */
export async function webAuthorization(url: URL, secrets: Secrets, options?: CallOptions): Promise<string | undefined> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return (
    (await headerValue(`HTTP_AUTH_TOKEN_${host}`, 'Bearer ', secrets, options)) ??
    (await headerValue(`HTTP_AUTH_HEADER_${host}`, '', secrets, options))
  );
}

async function headerValue(
  id: string,
  prefix: string,
  secrets: Secrets,
  options?: CallOptions,
): Promise<string | undefined> {
  const value = (await secrets.read(id, options))?.toString('latin1').replace(/[\r\n]+$/, '');
  if (value === undefined || value === '') return undefined;
  if (/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return prefix + value;
  throw new LadingError('INVALID_VALUE', `the secret ${id} cannot be sent: a header is one line of text`, {
    details: { what: 'secret', value: id },
    hint: `Give ${prefix === '' ? 'the whole value of the header Authorization' : 'the token alone'}, in one line.`,
  });
}
