import { decodePath, pathLimit } from '../tree/path.js';
import { invalidArchive } from './invalid-archive.js';
import { type PaxRecords, parsePaxNumber, parsePaxTime, xattrPrefix } from './pax.js';
import { fields, parseNumber } from './tar-fields.js';

export type TarEntryType = 'file' | 'hardlink' | 'symlink' | 'character' | 'block' | 'directory' | 'fifo';

/** The header of one entry. Names are as they stand in the archive, decoded as `path.ts` says, but not cleaned. */
export interface TarEntry {
  readonly type: TarEntryType;
  readonly path: string;
  /** Permission bits with setuid, setgid and sticky: 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly uname: string;
  readonly gname: string;
  /** Whole seconds since 1970, rounded down, and the rest. */
  readonly mtime: number;
  readonly mtimeNanoseconds: number;
  /** Bytes of content, holes included; 0 for all but files. */
  readonly size: number;
  /** Of hard links and symbolic links; otherwise empty. */
  readonly linkTarget: string;
  readonly devMajor: number;
  readonly devMinor: number;
  /** In the order of their names; the values hold one byte a character (latin1). */
  readonly xattrs: Readonly<Record<string, string>> | undefined;
  /** Where the stored content begins in the archive. */
  readonly dataOffset: number;
  /** The stored content leaves out holes, so it is not the file's bytes one after another. */
  readonly sparse: boolean;
}

/** Caps on what an archive can make its reader hold in memory. */
export interface TarLimits {
  /** Bytes of one PAX header; default 1 MiB. */
  readonly paxBytes?: number | undefined;
  /** Bytes of a name or a link target; default 4096, the kernel's own limit. */
  readonly nameBytes?: number | undefined;
  /** Extended attributes of one entry; default 1024. */
  readonly xattrs?: number | undefined;
}

export const defaultTarLimits = { paxBytes: 1 << 20, nameBytes: pathLimit, xattrs: 1024 } as const;

/** What stood before a header and belongs to it. */
export interface HeaderPrelude {
  readonly pax: PaxRecords | undefined;
  /** From GNU `L` and `K` entries. */
  readonly longName: string | undefined;
  readonly longLink: string | undefined;
}

/** A header with what its framing needs: how many bytes are stored, and in which form a sparse file's map comes. */
export interface ParsedHeader {
  readonly entry: TarEntry;
  readonly storedSize: number;
  readonly sparseFormat: 'none' | 'old' | 'pax-records' | 'pax-data';
}

const maxId = 0xffff_ffff;

/**
 * The entry that a header block describes; its checksum has been verified. A PAX record replaces the block's field, an
 * empty one leaves it be, and a GNU long name replaces both, as in Go's archive/tar.
 * @throws LadingError INVALID_ARCHIVE
 */
export function parseTarEntry(
  block: Buffer,
  at: number,
  prelude: HeaderPrelude,
  dataOffset: number,
  limits: Required<{ [K in keyof TarLimits]: number }>,
): ParsedHeader {
  const { pax } = prelude;
  const record = (key: string): string | undefined => pax?.get(key) || undefined;
  const magic = magicOf(block, at);
  const flag = block[at + fields.type[0]]!;
  const paxName = record('GNU.sparse.name') ?? record('path');
  const path = prelude.longName ?? (paxName === undefined ? blockName(block, at, magic) : fromLatin1(paxName));
  if (path.length > limits.nameBytes) throw invalidArchive('a name that is too long', path);
  const type = typeOf(flag, path);
  const isLink = type === 'hardlink' || type === 'symlink';
  const isDevice = type === 'character' || type === 'block';

  const number = (field: readonly [number, number], key: string | undefined, what: string, max: number): number => {
    const text = key === undefined ? undefined : record(key);
    const value = text === undefined ? parseNumber(block, at + field[0], field[1]) : parsePaxNumber(text, path);
    if (!(value >= 0 && value <= max)) throw invalidArchive(`a malformed ${what}`, path);
    return value;
  };
  const storedSize = number(fields.size, 'size', 'size', Number.MAX_SAFE_INTEGER);
  const mode = parseNumber(block, at + fields.mode[0], fields.mode[1]);
  if (!(mode >= 0)) throw invalidArchive('a malformed mode', path);

  let linkTarget = '';
  if (isLink) {
    const paxLink = record('linkpath');
    linkTarget =
      prelude.longLink ?? (paxLink === undefined ? blockText(block, at, fields.linkName) : fromLatin1(paxLink));
    if (linkTarget.length > limits.nameBytes) throw invalidArchive('a link target that is too long', path);
    if (linkTarget === '') throw invalidArchive('a link without a target', path);
  }

  const paxTime = record('mtime');
  const time =
    paxTime === undefined
      ? { seconds: parseNumber(block, at + fields.mtime[0], fields.mtime[1]), nanoseconds: 0 }
      : parsePaxTime(paxTime, path);
  if (Number.isNaN(time.seconds)) throw invalidArchive('a malformed time', path);

  const sparse = sparseForm(block, at, flag, type, pax, path, magic);
  const hasData = type === 'file';
  return {
    entry: {
      type,
      path,
      mode: mode % 0o10000,
      uid: number(fields.uid, 'uid', 'user id', maxId),
      gid: number(fields.gid, 'gid', 'group id', maxId),
      uname: owner(block, at, magic, fields.uname, record('uname')),
      gname: owner(block, at, magic, fields.gname, record('gname')),
      mtime: time.seconds,
      mtimeNanoseconds: time.nanoseconds,
      size: sparse.size ?? (hasData ? storedSize : 0),
      linkTarget,
      devMajor: isDevice ? number(fields.devMajor, undefined, 'device number', maxId) : 0,
      devMinor: isDevice ? number(fields.devMinor, undefined, 'device number', maxId) : 0,
      xattrs: pax === undefined ? undefined : xattrsOf(pax, limits.xattrs, path),
      dataOffset,
      sparse: sparse.format !== 'none',
    },
    // Links, devices and folders have no content, whatever their size field says.
    storedSize: hasData ? storedSize : 0,
    sparseFormat: sparse.format,
  };
}

type Magic = 'none' | 'posix' | 'star' | 'gnu';

function magicOf(block: Buffer, at: number): Magic {
  const start = at + fields.magic[0];
  // "ustar", then NUL and two digits (POSIX), or two blanks and NUL (GNU).
  if (block[start] !== 0x75 || block.toString('latin1', start, start + 5) !== 'ustar') return 'none';
  if (block[start + 5] === 0x20) return 'gnu';
  return block.toString('latin1', at + 508, at + 512) === 'tar\0' ? 'star' : 'posix';
}

/** Regular files have type `0`, NUL (old) or `7` (contiguous); in the old form a slash at the end means a folder. */
function typeOf(flag: number, path: string): TarEntryType {
  switch (flag) {
    case 0:
      return path.endsWith('/') ? 'directory' : 'file';
    case 0x30:
    case 0x37:
    case 0x53: // GNU sparse
      return 'file';
    case 0x31:
      return 'hardlink';
    case 0x32:
      return 'symlink';
    case 0x33:
      return 'character';
    case 0x34:
      return 'block';
    case 0x35:
      return 'directory';
    case 0x36:
      return 'fifo';
    default:
      throw invalidArchive(`the type ${JSON.stringify(String.fromCharCode(flag))}, which is unknown`, path);
  }
}

function blockName(block: Buffer, at: number, magic: Magic): string {
  const name = blockText(block, at, fields.name);
  // In GNU headers other fields stand where POSIX has the prefix; star's is shorter.
  if (magic === 'none' || magic === 'gnu' || block[at + fields.prefix[0]] === 0) return name;
  const prefix = blockText(block, at, [fields.prefix[0], magic === 'star' ? 131 : fields.prefix[1]]);
  return `${prefix}/${name}`;
}

function blockText(block: Buffer, at: number, [offset, length]: readonly [number, number]): string {
  const start = at + offset;
  let end = start;
  while (end < start + length && block[end] !== 0) end++;
  return start === end ? '' : decodePath(block.subarray(start, end));
}

function owner(
  block: Buffer,
  at: number,
  magic: Magic,
  field: readonly [number, number],
  record: string | undefined,
): string {
  if (record !== undefined) return fromLatin1(record);
  return magic === 'none' ? '' : blockText(block, at, field);
}

/** Text that stands one character a byte, as paths have it. */
function fromLatin1(text: string): string {
  return decodePath(Buffer.from(text, 'latin1'));
}

function xattrsOf(pax: PaxRecords, limit: number, path: string): Record<string, string> | undefined {
  const found: Array<[string, string]> = [];
  for (const [key, value] of pax) {
    if (key.startsWith(xattrPrefix) && key.length > xattrPrefix.length)
      found.push([key.slice(xattrPrefix.length), value]);
  }
  if (found.length === 0) return undefined;
  if (found.length > limit) throw invalidArchive('too many extended attributes', path);
  // Made from entries so that `__proto__` is a name like any other.
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function sparseForm(
  block: Buffer,
  at: number,
  flag: number,
  type: TarEntryType,
  pax: PaxRecords | undefined,
  path: string,
  magic: Magic,
): { readonly format: ParsedHeader['sparseFormat']; readonly size?: number } {
  if (flag === 0x53) {
    const size = parseNumber(block, at + 483, 12);
    if (magic !== 'gnu' || !(size >= 0)) throw invalidArchive('a malformed sparse header', path);
    return { format: 'old', size };
  }
  if (pax === undefined || type !== 'file') return { format: 'none' };
  const major = pax.get('GNU.sparse.major');
  const minor = pax.get('GNU.sparse.minor');
  const inData = major === '1' && minor === '0';
  const inRecords = pax.has('GNU.sparse.map') && (major === undefined || major === '0');
  if (!inData && !inRecords) {
    if (major === undefined) return { format: 'none' };
    throw invalidArchive('a sparse map of an unknown version', path);
  }
  const size = parsePaxNumber(pax.get('GNU.sparse.realsize') ?? pax.get('GNU.sparse.size') ?? '', path);
  return { format: inData ? 'pax-data' : 'pax-records', size };
}
