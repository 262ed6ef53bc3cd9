import { invalidArchive } from './invalid-archive.js';

/** The records of a PAX extended header: key to value, both one character a byte (latin1). */
export type PaxRecords = ReadonlyMap<string, string>;

/** What xattrs are called in PAX headers. */
export const xattrPrefix = 'SCHILY.xattr.';

/** One record, `LENGTH key=value\n`, where LENGTH counts itself; `value` is latin1. */
export function formatPaxRecord(key: string, value: string): string {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  if (rest + String(length).length !== length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}

const noNul = new Set(['path', 'linkpath', 'uname', 'gname']);

/**
 * The records of a PAX header's body. Of a key that comes twice the last one counts, except for the sparse map of
 * format 0.0, which consists of repeated keys: it is gathered under `GNU.sparse.map`.
 * @throws LadingError INVALID_ARCHIVE
 */
export function parsePaxRecords(body: Buffer): PaxRecords {
  const records = new Map<string, string>();
  const sparseMap: string[] = [];
  let at = 0;
  while (at < body.length) {
    const space = body.indexOf(0x20, at);
    const digits = space < 0 || space - at > 10 ? '' : body.toString('latin1', at, space);
    const length = /^[0-9]+$/.test(digits) ? Number(digits) : 0;
    const end = at + length;
    const equals = length === 0 ? -1 : body.indexOf(0x3d, space + 1);
    if (equals < 0 || equals >= end || equals === space + 1 || end > body.length || body[end - 1] !== 0x0a) {
      throw invalidArchive('a PAX header with a malformed record');
    }
    const key = body.toString('latin1', space + 1, equals);
    const value = body.toString('latin1', equals + 1, end - 1);
    if (key.includes('\0') || (noNul.has(key) && value.includes('\0'))) {
      throw invalidArchive('a PAX header with a NUL in a name');
    }
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') {
      const expected = sparseMap.length % 2 === 0 ? 'GNU.sparse.offset' : 'GNU.sparse.numbytes';
      if (key !== expected || value.includes(',')) throw invalidArchive('a PAX header with a malformed sparse map');
      sparseMap.push(value);
    } else {
      records.set(key, value);
    }
    at = end;
  }
  if (sparseMap.length > 0) records.set('GNU.sparse.map', sparseMap.join(','));
  return records;
}

/**
 * A PAX time, seconds with an optional fraction, as whole seconds (rounded down) and nanoseconds.
 * @throws LadingError INVALID_ARCHIVE
 */
export function parsePaxTime(text: string, entry: string): { seconds: number; nanoseconds: number } {
  const match = /^(-?)([0-9]{1,16})(?:\.([0-9]{0,64}))?$/.exec(text);
  if (match === null) throw invalidArchive('a malformed PAX time', entry);
  const whole = Number(match[2]);
  const fraction = Number((match[3] ?? '').slice(0, 9).padEnd(9, '0'));
  if (!Number.isSafeInteger(whole)) throw invalidArchive('a PAX time out of range', entry);
  if (match[1] === '') return { seconds: whole, nanoseconds: fraction };
  if (fraction === 0) return { seconds: whole === 0 ? 0 : -whole, nanoseconds: 0 };
  return { seconds: -whole - 1, nanoseconds: 1_000_000_000 - fraction };
}

/** The inverse of {@link parsePaxTime}, in the shortest form, as Go writes it. */
export function formatPaxTime(seconds: number, nanoseconds: number): string {
  if (nanoseconds === 0) return String(seconds);
  const negative = seconds < 0;
  const whole = negative ? -(seconds + 1) : seconds;
  const fraction = String(negative ? 1_000_000_000 - nanoseconds : nanoseconds).padStart(9, '0');
  return `${negative ? '-' : ''}${whole}.${fraction.replace(/0+$/, '')}`;
}

/**
 * A PAX number that must not be negative.
 * @throws LadingError INVALID_ARCHIVE
 */
export function parsePaxNumber(text: string, entry: string): number {
  const value = /^[0-9]{1,20}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw invalidArchive('a malformed PAX number', entry);
  return value;
}
