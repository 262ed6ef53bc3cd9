import { isIP } from 'node:net';
import { invalidValue } from './refusal.js';

/** The most ports that one EXPOSE may list; all that exist, for each protocol, are 196,608. */
export const exposedPortsLimit = 200_000;

/**
 * Reads the words of EXPOSE, each `[ip:][hostport:]port[-port][/protocol]`, and gives `port/protocol` for every port,
 * ranges written out, in the order of the words. The parts about the host say nothing about an image: they are checked
 * and dropped.
 * @throws LadingError INVALID_VALUE
 */
export function parseExpose(words: readonly string[]): string[] {
  const ports: string[] = [];
  for (const word of words) {
    const { start, end, protocol } = parsePort(word);
    if (ports.length + end - start >= exposedPortsLimit) throw invalid(word, 'EXPOSE lists too many ports');
    for (let port = start; port <= end; port++) ports.push(`${port}/${protocol}`);
  }
  return ports;
}

interface Range {
  readonly start: number;
  readonly end: number;
}

function parsePort(word: string): Range & { protocol: string } {
  const parts = word.split(':');
  const [last, hostPort] = [parts.pop()!, parts.pop() ?? ''];
  const host = parts.join(':');
  const slash = last.indexOf('/');
  const container = slash < 0 ? last : last.slice(0, slash);
  const written = slash < 0 ? '' : last.slice(slash + 1);
  const protocol = written.toLowerCase() || 'tcp';
  if (container === '') throw invalid(word, `invalid port: ${JSON.stringify(word)}: no port specified`);
  if (!['tcp', 'udp', 'sctp'].includes(protocol)) {
    throw invalid(word, `invalid port: ${JSON.stringify(word)}: invalid proto: ${written}`);
  }
  if (host !== '' && !isAddress(host)) throw invalid(word, `invalid IP address: ${host}`);
  const range = parseRange(container);
  if (range === undefined) throw invalid(word, `invalid containerPort: ${container}`);
  if (hostPort !== '') checkHostRange(word, range, container, hostPort);
  return { ...range, protocol };
}

/** One container port may stand for any one of a range on the host; ranges must otherwise be of the same length. */
function checkHostRange(word: string, range: Range, container: string, hostPort: string): void {
  const host = parseRange(hostPort);
  if (host === undefined) throw invalid(word, `invalid hostPort: ${hostPort}`);
  if (range.end !== range.start && range.end - range.start !== host.end - host.start) {
    throw invalid(word, `invalid ranges specified for container and host Ports: ${container} and ${hostPort}`);
  }
}

function isAddress(host: string): boolean {
  const bare = /^\[([^[\]]*)\]$/.exec(host)?.[1] ?? host;
  return isIP(bare) !== 0 && !bare.includes('%');
}

function parseRange(text: string): Range | undefined {
  const dash = text.indexOf('-');
  const start = parseNumber(dash < 0 ? text : text.slice(0, dash));
  const end = dash < 0 ? start : parseNumber(text.slice(dash + 1));
  if (start === undefined || end === undefined || end < start) return undefined;
  return { start, end };
}

function parseNumber(text: string): number | undefined {
  if (!/^\+?\d+$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65_535 ? port : undefined;
}

function invalid(word: string, message: string) {
  return invalidValue(
    'port',
    word,
    message,
    'A port is a number up to 65535 or a range of them, with /tcp, /udp or /sctp after it.',
  );
}
