import { readFileSync } from 'node:fs';
import type { RunRequest } from './sandbox.js';
import { isUserNetwork, userNameServer } from './user-network.js';

/** Files of `/etc` that a process sees in place of those of its root, by their names there. */
export function shownFiles(
  request: Pick<RunRequest, 'hostname' | 'hostnameFile' | 'extraHosts'>,
  resolvConf: string,
): ReadonlyMap<string, string> {
  const { hostname, hostnameFile } = request;
  const files = new Map([
    ['resolv.conf', resolvConf],
    ['hosts', hostsFile(request)],
  ]);
  return hostnameFile ? files.set('hostname', `${hostname}\n`) : files;
}

/** The text of `/etc/hosts` for a process. */
export function hostsFile({ hostname, extraHosts }: Pick<RunRequest, 'hostname' | 'extraHosts'>): string {
  const lines = [
    ['127.0.0.1', `localhost ${hostname}`],
    ['::1', 'localhost ip6-localhost ip6-loopback'],
    ['fe00::0', 'ip6-localnet'],
    ['ff00::0', 'ip6-mcastprefix'],
    ['ff02::1', 'ip6-allnodes'],
    ['ff02::2', 'ip6-allrouters'],
    ...extraHosts.map(({ address, host }) => [address, host]),
  ];
  return lines.map(([address, names]) => `${address}\t${names}\n`).join('');
}

/**
 * The text of `/etc/resolv.conf` for a process: that of this machine. In a network of its own the process asks what
 * connects that one, which asks in turn; a server of names on this machine's loopback could not be reached from there.
 */
export function resolverFile({ network }: Pick<RunRequest, 'network'>): string {
  if (network === 'none') return '';
  const own = ownResolverFile();
  if (!isUserNetwork(network)) return own;
  const rest = own.split('\n').filter(line => /^\s*(?:search|domain|options)\s/.test(line));
  return [`nameserver ${userNameServer}`, ...rest].map(line => `${line}\n`).join('');
}

function ownResolverFile(): string {
  try {
    return readFileSync('/etc/resolv.conf', 'utf8');
  } catch {
    return '';
  }
}
