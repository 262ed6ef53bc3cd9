import { isIP } from 'node:net';
import { LadingError } from '../errors/errors.js';
import type { ContainerConfig } from '../oci/config.js';
import type { PublishedPort } from '../sandbox/sandbox.js';

/** A port of a container that is to be reached at one of this machine. */
export interface PublishRequest extends Pick<PublishedPort, 'address' | 'containerPort' | 'protocol'> {
  /** The first and the last of those that may be taken; absent is any that is free. */
  readonly hostPorts?: readonly [first: number, last: number] | undefined;
}

/** The most ports that one option may name. */
const portsLimit = 1024;
const everywhere = '0.0.0.0';

/**
 * Reads `[[ADDRESS:][HOST-PORT]:]PORT[/tcp|udp]` as Docker does. Both ports may be ranges of the same length; one port of a
 * container gets any that is free of a range.
 * @throws LadingError USAGE
 */
export function parsePublish(text: string): PublishRequest[] {
  const [ports = '', protocol = 'tcp', ...more] = text.toLowerCase().split('/');
  if (more.length > 0 || (protocol !== 'tcp' && protocol !== 'udp')) {
    throw unreadable(text, 'A protocol is tcp or udp.');
  }
  const [, address = '', host, container = ''] =
    /^(?:(?:(\[[^\]]*\]|[^:[\]]*):)?([\d-]*):)?([\d-]+)$/.exec(ports) ?? [];
  const bare = /^\[(.*)\]$/.exec(address)?.[1] ?? address;
  if (bare !== '' && (isIP(bare) === 0 || bare.includes('%')))
    throw unreadable(text, 'The address is one of IPv4, or of IPv6 in brackets.');
  const inside = range(container);
  const outside = host === undefined || host === '' ? undefined : range(host);
  if (inside === undefined || (host !== undefined && host !== '' && outside === undefined)) {
    throw unreadable(text, 'Write HOST-PORT:PORT, such as 8080:80, 127.0.0.1:8080:80/tcp or 8000-8010:80-90.');
  }
  const count = inside[1] - inside[0] + 1;
  if (count > portsLimit) throw unreadable(text, `That are more than ${portsLimit} ports.`);
  const one = { address: bare === '' ? everywhere : bare, protocol } as const;
  if (count === 1 || outside === undefined) {
    return ascending(inside).map(containerPort => ({ ...one, containerPort, hostPorts: outside }));
  }
  if (outside[1] - outside[0] + 1 !== count) throw unreadable(text, 'Both ranges have to be of the same length.');
  return ascending(inside).map((containerPort, i) => {
    return { ...one, containerPort, hostPorts: [outside[0] + i, outside[0] + i] };
  });
}

/** Those that an image says with EXPOSE. */
export function exposedPorts({ ExposedPorts = {} }: ContainerConfig): PublishRequest[] {
  return Object.keys(ExposedPorts ?? {}).flatMap(text => parsePublish(text));
}

function ascending([first, last]: readonly [number, number]): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

function range(text: string): readonly [number, number] | undefined {
  const [, from = '', to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const [first, last] = [Number(from), Number(to)];
  return first >= 1 && last >= first && last <= 65_535 ? [first, last] : undefined;
}

function unreadable(text: string, hint: string): LadingError<'USAGE'> {
  return new LadingError('USAGE', `--publish ${text}: it cannot be read`, { details: { option: 'publish' }, hint });
}
