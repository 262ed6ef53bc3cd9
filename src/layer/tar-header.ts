import { encodePath } from '../tree/path.js';
import { invalidArchive } from './invalid-archive.js';
import { formatPaxRecord, formatPaxTime, xattrPrefix } from './pax.js';
import { defaultTarLimits, type TarEntryType } from './tar-entry.js';
import { blockSize, fields, fitsOctal, headerChecksum, isAscii, paddedSize, writeOctal } from './tar-fields.js';

/** What a header says. Owners are numbers only. */
export interface TarHeaderFields {
  readonly type: TarEntryType;
  /** Without a slash at either end: folders get theirs here. */
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly mtimeNanoseconds?: number | undefined;
  readonly size?: number | undefined;
  readonly linkTarget?: string | undefined;
  readonly major?: number | undefined;
  readonly minor?: number | undefined;
  readonly xattrs?: Readonly<Record<string, string>> | undefined;
}

const typeFlags: Readonly<Record<TarEntryType, number>> = {
  file: 0x30,
  hardlink: 0x31,
  symlink: 0x32,
  character: 0x33,
  block: 0x34,
  directory: 0x35,
  fifo: 0x36,
};

/** A header ready to be written: how many bytes it takes is known before it is placed. */
export interface PreparedHeader {
  readonly fields: TarHeaderFields;
  readonly name: string;
  /** The records of the PAX header before it, latin1; empty when the plain header says all. */
  readonly pax: string;
  /** Bytes of the header and its PAX header. */
  readonly size: number;
}

/**
 * Decides what a header needs. PAX records come only for what a ustar header cannot say: names of more than 100 bytes
 * or beyond ASCII, numbers too large or negative, times below a second, extended attributes. The bytes follow those of Go's archive/tar in its
 * PAX format, so that a layer can have the diffId that BuildKit gives the same files.
 * @throws LadingError INVALID_ARCHIVE when it could not be read back: names or attributes past the reader's limits
 */
export function prepareHeader(header: TarHeaderFields): PreparedHeader {
  const name = header.type === 'directory' ? `${header.path}/` : header.path;
  const pax = paxRecords(header, name);
  return { fields: header, name, pax, size: pax === '' ? blockSize : 2 * blockSize + paddedSize(pax.length) };
}

/** Writes the header at `offset`; the buffer must have room for its size. */
export function writeHeader(header: PreparedHeader, buffer: Buffer, offset: number): void {
  let at = offset;
  if (header.pax !== '') {
    const length = header.pax.length;
    const paxFields = { mode: 0, uid: 0, gid: 0, mtime: 0, size: length };
    writeBlock(buffer, at, paxHeaderName(header.name), 0x78, paxFields, '');
    at += blockSize;
    buffer.write(header.pax, at, length, 'latin1');
    buffer.fill(0, at + length, at + paddedSize(length));
    at += paddedSize(length);
  }
  writeBlock(buffer, at, header.name, typeFlags[header.fields.type], header.fields, header.fields.linkTarget ?? '');
}

function paxRecords(header: TarHeaderFields, name: string): string {
  const { linkTarget = '', size = 0, uid, gid, mtime, mtimeNanoseconds = 0, xattrs } = header;
  const plainOwner = fitsOctal(uid, 8) && fitsOctal(gid, 8);
  const plainTime = mtimeNanoseconds === 0 && fitsOctal(mtime, 12);
  // Nearly all are plain.
  if (plainOwner && plainTime && xattrs === undefined && fitsOctal(size, 12) && fitsText(name) && fitsText(linkTarget))
    return '';
  const records: Array<[key: string, value: string]> = [];
  if (!fitsText(name)) records.push(['path', latin1(name, 'a name')]);
  if (!fitsText(linkTarget)) records.push(['linkpath', latin1(linkTarget, 'a link target')]);
  if (!fitsOctal(size, 12)) records.push(['size', String(size)]);
  if (!fitsOctal(uid, 8)) records.push(['uid', String(uid)]);
  if (!fitsOctal(gid, 8)) records.push(['gid', String(gid)]);
  if (!plainTime) records.push(['mtime', formatPaxTime(mtime, mtimeNanoseconds)]);
  if (xattrs !== undefined) {
    for (const key of Object.keys(xattrs)) {
      if (key === '' || /[=\0]/.test(key))
        throw invalidArchive('an extended attribute whose name no tar can hold', name);
      records.push([xattrPrefix + key, xattrs[key]!]);
    }
  }
  if (records.length === 0) return '';
  records.sort(([a], [b]) => (a < b ? -1 : 1));
  const pax = records.map(([key, value]) => formatPaxRecord(key, value)).join('');
  if (pax.length > defaultTarLimits.paxBytes) throw invalidArchive('extended attributes that are too large', name);
  return pax;
}

/** Whether a name goes into its 100 bytes as it is. */
function fitsText(text: string): boolean {
  return text.length <= 100 && isAscii(text);
}

/** The bytes of a name, one a character. */
function latin1(name: string, what: string): string {
  const bytes = encodePath(name);
  if (bytes.length > defaultTarLimits.nameBytes) throw invalidArchive(`${what} that is too long`, name);
  if (bytes.includes(0)) throw invalidArchive(`${what} with a NUL`, name);
  return bytes.toString('latin1');
}

/** What readers without PAX would call the file that holds the records. */
function paxHeaderName(name: string): string {
  const slash = name.lastIndexOf('/') + 1;
  const folder = `${name.slice(0, slash)}PaxHeaders.0`;
  return asciiOnly(slash === name.length ? folder : `${folder}/${name.slice(slash)}`)
    .slice(0, fields.name[1])
    .replace(/\/+$/, '');
}

/** The part of a name that old readers can take; the whole of it stands in the PAX header. */
function asciiOnly(text: string): string {
  return isAscii(text) ? text : text.replace(/[^\x01-\x7f]/g, '');
}

function writeBlock(
  block: Buffer,
  at: number,
  name: string,
  flag: number,
  header: Omit<TarHeaderFields, 'type' | 'path'>,
  linkTarget: string,
): void {
  if (!isTemplate(flag, header, linkTarget)) makeTemplate(flag, header, linkTarget);
  block.set(template.bytes, at);
  const nameEnd = writeText(block, at + fields.name[0], name);
  writeNumber(block, at, fields.size, header.size ?? 0);
  const sizeAt = at + fields.size[0];
  const sum = sumOf(block, at, nameEnd) + sumOf(block, sizeAt, sizeAt + fields.size[1]);
  writeOctal(block, at + fields.checksum[0], 7, template.sum + sum);
  block[at + fields.checksum[0] + 7] = 0x20;
}

/**
 * A block without its name, its size and its checksum: that of most headers is that of the header before. It is made anew
 * where it is not, so that it is nothing but time that depends on it.
 */
const template = {
  flag: 0,
  header: {} as Omit<TarHeaderFields, 'type' | 'path'>,
  linkTarget: '',
  sum: 0,
  bytes: Buffer.alloc(blockSize),
};

function isTemplate(flag: number, header: Omit<TarHeaderFields, 'type' | 'path'>, linkTarget: string): boolean {
  const { mode, uid, gid, mtime, major, minor } = template.header;
  return (
    flag === template.flag &&
    header.mode === mode &&
    header.mtime === mtime &&
    header.uid === uid &&
    header.gid === gid &&
    header.major === major &&
    header.minor === minor &&
    linkTarget === template.linkTarget
  );
}

function makeTemplate(flag: number, header: Omit<TarHeaderFields, 'type' | 'path'>, linkTarget: string): void {
  const { bytes } = template;
  const { mode, uid, gid, mtime, major, minor } = header;
  bytes.fill(0);
  if (linkTarget !== '') writeText(bytes, fields.linkName[0], linkTarget);
  bytes[fields.type[0]] = flag;
  writeNumber(bytes, 0, fields.mode, mode);
  writeNumber(bytes, 0, fields.uid, uid);
  writeNumber(bytes, 0, fields.gid, gid);
  writeNumber(bytes, 0, fields.mtime, mtime);
  bytes.write('ustar\x0000', fields.magic[0], 8, 'latin1');
  if (flag !== 0x78) {
    writeNumber(bytes, 0, fields.devMajor, major ?? 0);
    writeNumber(bytes, 0, fields.devMinor, minor ?? 0);
  }
  Object.assign(template, {
    flag,
    header: { mode, uid, gid, mtime, major, minor },
    linkTarget,
    sum: headerChecksum(bytes, 0),
  });
}

function sumOf(bytes: Uint8Array, from: number, to: number): number {
  let sum = 0;
  for (let at = from; at < to; at++) sum += bytes[at]!;
  return sum;
}

/** A name that is too long is cut; not so that it ends in a slash, which some readers take for a folder's. Returns its end. */
function writeText(block: Buffer, at: number, text: string): number {
  if (fitsText(text)) {
    for (let i = 0; i < text.length; i++) block[at + i] = text.charCodeAt(i);
    return at + text.length;
  }
  const ascii = asciiOnly(text);
  const written = ascii.length > 100 ? ascii.slice(0, 100).replace(/\/+$/, '') : ascii;
  return at + block.write(written, at, 100, 'latin1');
}

/** What does not fit stands in a PAX record, and here as 0. */
function writeNumber(block: Buffer, at: number, [offset, length]: readonly [number, number], value: number): void {
  writeOctal(block, at + offset, length, fitsOctal(value, length) ? value : 0);
}
