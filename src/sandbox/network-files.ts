import { readFile } from 'node:fs/promises';
import type { RunRequest } from './sandbox.js';

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

/** The text of `/etc/resolv.conf` for a process that shares the network of this machine. */
export async function resolverFile({ network }: Pick<RunRequest, 'network'>): Promise<string> {
  if (network === 'none') return '';
  return readFile('/etc/resolv.conf', 'utf8').catch(() => '');
}
