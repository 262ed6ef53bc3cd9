import { redactUrl } from '../errors/redact.js';
import { formatGitReference, parseGitContext } from '../plan/git-reference.js';

import type { CommandOptions } from './command-settings.js';

/** What of the options of a build goes into the record of it. */
export interface RequestOptions extends Pick<CommandOptions, 'extraHosts' | 'limits' | 'network' | 'shmSizeBytes'> {
  readonly target?: string | undefined;
  readonly buildArgs?: Readonly<Record<string, string>> | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly buildContexts?: Readonly<Record<string, string>> | undefined;
}

/**
 * The options that decide what is built, by the names that BuildKit's frontend has for them. Folders are named, not
 * placed: where they lie on this machine is no part of it, and neither is what is taken from a cache.
 */
export function requestArguments(options: RequestOptions): Readonly<Record<string, string>> {
  const { target, buildArgs = {}, labels = {}, buildContexts = {} } = options;
  return {
    ...(target === undefined ? {} : { target }),
    ...prefixed('build-arg:', buildArgs),
    ...prefixed('label:', labels),
    ...commandArguments(options),
    ...prefixed('context:', Object.fromEntries(Object.entries(buildContexts).map(placeless))),
  };
}

function commandArguments({
  extraHosts = [],
  limits = [],
  network,
  shmSizeBytes,
}: RequestOptions): Record<string, string> {
  const hosts = extraHosts.map(({ host, address }) => `${host}=${address}`);
  const ulimits = limits.map(({ name, soft, hard }) => `${name}=${soft}:${hard}`);
  return {
    ...(hosts.length === 0 ? {} : { 'add-hosts': hosts.join(',') }),
    ...(network === undefined ? {} : { 'force-network-mode': network }),
    ...(shmSizeBytes === undefined ? {} : { 'shm-size': String(shmSizeBytes) }),
    ...(ulimits.length === 0 ? {} : { ulimit: ulimits.join(',') }),
  };
}

function prefixed(prefix: string, values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}${name}`, value]));
}

function placeless([name, value]: [string, string]): [string, string] {
  if (/^oci-layout:\/\//.test(value)) return [name, 'oci-layout'];
  const reference = parseGitContext(value);
  if (reference !== undefined) return [name, formatGitReference(reference)];
  if (/^https?:\/\//i.test(value)) return [name, redactUrl(value)];
  return [name, /^[a-z][a-z0-9+.-]*:\/\//.test(value) ? value : `local:${name}`];
}
