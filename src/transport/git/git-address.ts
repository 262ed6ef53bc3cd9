import type { GitAuthorization } from './git-environment.js';

/** An address that can stand on a command line, and what was in it that cannot. */
export interface GitAddress {
  readonly remote: string;
  readonly authorization?: GitAuthorization | undefined;
}

/**
 * Takes user and password out of a web address: they become a header for its origin. A user alone is nothing to send, as
 * git would first ask for the password.
 */
export function splitCredentials(address: string): GitAddress {
  const match = /^(https?:\/\/)([^/?#]*)@([^/?#@]*)(.*)$/is.exec(address);
  if (match === null) return { remote: address };
  const [, scheme = '', user = '', host = '', path = ''] = match;
  const remote = `${scheme}${host}${path}`;
  if (!user.includes(':')) return { remote };
  const value = `Basic ${Buffer.from(percentDecoded(user), 'utf8').toString('base64')}`;
  return { remote, authorization: { scope: `${scheme}${host}/`, value } };
}

/** Which addresses a token for this one is good for: BuildKit takes it for all of github.com, where it is one for all. */
export function tokenScope(remote: string): string {
  return /^https:\/\/(?:www\.)?github\.com\//.exec(remote)?.[0] ?? remote;
}

/**
 * The address of a submodule, which may be relative to that of the repository (`../other.git`). `undefined` for what is
 * no address of a server: paths of this machine, helpers of git, options.
 */
export function submoduleAddress(remote: string, written: string): string | undefined {
  const address = /^\.\.?\//.test(written) ? relativeAddress(remote, written) : written;
  if (address === undefined || /[\u0000-\u001f\u007f]/.test(address)) return undefined;
  const isUrl = /^(?:https?|git|ssh):\/\/(?:[^/?#@-][^/?#@]*@)?[^/?#@-][^/?#@]*\/./i.test(address);
  const isScp = /^(?:[a-z0-9_][a-z0-9._-]*@)?[a-z0-9][a-z0-9.-]+:(?!:|\/\/|-).+$/i.test(address);
  return isUrl || isScp ? address : undefined;
}

export function isSshAddress(address: string): boolean {
  return !/^(?:https?|git):\/\//i.test(address);
}

function relativeAddress(remote: string, written: string): string | undefined {
  const [, root = '', path = ''] = /^([a-z]+:\/\/[^/]*\/|[^/:]*:\/?)(.*)$/is.exec(remote) ?? [];
  const folders = path.split('/').filter(Boolean);
  for (const part of written.split('/')) {
    if (part === '..' && folders.pop() === undefined) return undefined;
    if (part !== '..' && part !== '.' && part !== '') folders.push(part);
  }
  return root + folders.join('/');
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
