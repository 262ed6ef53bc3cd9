import type { CallOptions } from '../stream/bytes.js';
import { headerSecret } from './header-secret.js';
import type { Secrets } from './inputs.js';

/**
 * The `Authorization` that secrets of a build hold for the host of an address, under BuildKit's names:
 * `HTTP_AUTH_TOKEN_<host>` is a bearer token, and wins over `HTTP_AUTH_HEADER_<host>`, the whole value of the header. The
 * host has no port.
 * @throws LadingError INVALID_VALUE, without the value, for what cannot be sent
 */
export async function webAuthorization(url: URL, secrets: Secrets, options?: CallOptions): Promise<string | undefined> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const token = await headerSecret(`HTTP_AUTH_TOKEN_${host}`, 'the token alone', secrets, options);
  if (token !== undefined) return `Bearer ${token}`;
  return await headerSecret(`HTTP_AUTH_HEADER_${host}`, 'the whole value of the header', secrets, options);
}
