import type { CallOptions } from '../stream/bytes.js';
import { headerSecret } from './header-secret.js';
import type { Secrets } from './inputs.js';

/**
 * The `Authorization` that secrets of a build hold for a repository of the web, under BuildKit's names: `GIT_AUTH_HEADER`
 * is the whole value of the header, and `GIT_AUTH_TOKEN` a token, as forges take it for a password. Those with the host of
 * the address behind a dot (and its port, if it has one) go before those for all hosts.
 * @throws LadingError INVALID_VALUE, without the value, for what cannot be sent
 */
export async function gitAuthorization(
  remote: string,
  secrets: Secrets,
  options?: CallOptions,
): Promise<string | undefined> {
  const host = /^https?:\/\/(?:[^/?#]*@)?([^/?#@]+)/i.exec(remote)?.[1];
  if (host === undefined) return undefined;
  for (const ending of [`.${host}`, '']) {
    const header = await headerSecret(`GIT_AUTH_HEADER${ending}`, 'the whole value of the header', secrets, options);
    if (header !== undefined) return header;
    const token = await headerSecret(`GIT_AUTH_TOKEN${ending}`, 'the token alone', secrets, options);
    if (token !== undefined) return `basic ${Buffer.from(`x-access-token:${token}`, 'latin1').toString('base64')}`;
  }
  return undefined;
}
