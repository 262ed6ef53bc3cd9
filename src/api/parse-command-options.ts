import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { LadingError } from '../errors/errors.js';
import { nearest } from '../errors/nearest.js';
import { parseByteCount } from '../plan/byte-count.js';
import type { ResourceLimit } from '../sandbox/sandbox.js';

/** A line of `/etc/hosts`. */
export interface HostAddress {
  readonly host: string;
  readonly address: string;
}

/** What a process reaches this machine by that has its network. */
const ownAddress = '127.0.0.1';

/** What a process reaches this machine by that has a network of its own; its loopback cannot be reached from there. */
export function outwardAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap(list => list ?? []);
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? ownAddress;
}

/**
 * Parses `HOST=ADDRESS` or `HOST:ADDRESS`; the address `host-gateway` is this machine, as `gateway` says.
 * @throws LadingError USAGE
 */
export function parseHost(text: string, gateway: string = ownAddress): HostAddress {
  const [, host = '', written = ''] = /^([^=:]*)[=:](.*)$/s.exec(text) ?? [];
  if (!/^[\w.-]{1,253}$/.test(host)) throw usage('add-host', text, 'Write HOST:ADDRESS, such as db.test:10.0.0.7.');
  if (written === 'host-gateway') return { host: host.toLowerCase(), address: gateway };
  const address = /^\[(.*)\]$/.exec(written)?.[1] ?? written;
  if (isIP(address) !== 0 && !address.includes('%')) return { host: host.toLowerCase(), address };
  throw usage('add-host', text, 'The address is one of IPv4 or IPv6, or host-gateway.');
}

const limitNames =
  'core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(' ');

/**
 * Parses `NAME=SOFT[:HARD]`, with -1 for no limit.
 * @throws LadingError USAGE
 */
export function parseLimit(text: string): ResourceLimit {
  const match = /^([^=]*)=(-1|\d{1,18})(?::(-1|\d{1,18}))?$/.exec(text);
  if (match === null) throw usage('ulimit', text, 'Write NAME=SOFT or NAME=SOFT:HARD, such as nofile=1024:2048.');
  const [, name = '', soft, hard = soft] = match;
  if (!limitNames.includes(name)) {
    const near = nearest(name, limitNames);
    throw usage('ulimit', text, near === undefined ? `Known are ${limitNames.join(', ')}.` : `Did you mean ${near}?`);
  }
  const limit = { name, soft: Number(soft), hard: Number(hard) };
  if (limit.hard !== -1 && (limit.soft === -1 || limit.soft > limit.hard)) {
    throw usage('ulimit', text, 'The soft limit is at most the hard one.');
  }
  return limit;
}

/**
 * Parses a size such as `64m`, in bytes.
 * @throws LadingError USAGE
 */
export function parseSize(text: string, option: string): number {
  const bytes = parseByteCount(text);
  if (bytes !== undefined && Number.isSafeInteger(bytes)) return bytes;
  throw usage(option, text, 'Write a number with b, k, m or g.');
}

function usage(option: string, text: string, hint: string): LadingError<'USAGE'> {
  return new LadingError('USAGE', `--${option} ${text}: it cannot be read`, { details: { option }, hint });
}
