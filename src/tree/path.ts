/**
 * Paths inside images. A path is a string without leading or trailing slash, components separated by `/`; the root is
 * the empty string. Linux file names are bytes: a byte that is not part of valid UTF-8 is held as the lone surrogate
 * U+DC00 + byte, so that every name survives the way in and out (Python's "surrogateescape").
 */
import { isUtf8 } from 'node:buffer';

/**
 * The longest path, as Linux has it. Deeper trees cannot be unpacked anywhere; refusing them bounds every walk over a tree,
 * however the links of a hostile image are laid.
 */
export const pathLimit = 4096;

/** The path that these bytes name. */
export function decodePath(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isUtf8(buffer)) return buffer.toString('utf8');
  let text = '';
  let start = 0;
  while (start < buffer.length) {
    const length = sequenceLength(buffer, start);
    if (length === 0) {
      text += String.fromCharCode(0xdc00 + buffer[start]!);
      start += 1;
    } else {
      text += buffer.toString('utf8', start, start + length);
      start += length;
    }
  }
  return text;
}

/** The bytes of a path: the inverse of {@link decodePath}. */
export function encodePath(path: string): Buffer {
  if (!/[\udc80-\udcff]/.test(path) || path.isWellFormed()) return Buffer.from(path, 'utf8');
  const pieces: Buffer[] = [];
  let start = 0;
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (code >= 0xd800 && code <= 0xdbff) {
      i += 1;
    } else if (code >= 0xdc80 && code <= 0xdcff) {
      pieces.push(Buffer.from(path.slice(start, i), 'utf8'), Buffer.from([code - 0xdc00]));
      start = i + 1;
    }
  }
  pieces.push(Buffer.from(path.slice(start), 'utf8'));
  return Buffer.concat(pieces);
}

/** A path as the file system functions of Node take it: a string where UTF-8 can say it, else bytes. */
export function toHostPath(path: string): string | Buffer {
  return path.isWellFormed() ? path : encodePath(path);
}

/** By the bytes of the names, component by component: a folder's content follows it before the next sibling. */
export function comparePaths(a: string, b: string): number {
  const left = a.split('/');
  const right = b.split('/');
  const common = Math.min(left.length, right.length);
  for (let i = 0; i < common; i++) {
    const order = compareNames(left[i]!, right[i]!);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** By bytes: the order of directory entries. */
export function compareNames(a: string, b: string): number {
  if (a === b) return 0;
  // UTF-16 order is byte order unless surrogates take part.
  if (!/[\ud800-\uffff]/.test(a) && !/[\ud800-\uffff]/.test(b)) return a < b ? -1 : 1;
  return Buffer.compare(encodePath(a), encodePath(b));
}

/** Sorts names in place, by their bytes. */
export function sortNames(names: string[]): string[] {
  return names.some(name => /[\ud800-\uffff]/.test(name)) ? names.sort(compareNames) : names.sort();
}

/** The parent of a path; the root is its own. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

export function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

export function joinPath(parent: string, name: string): string {
  return parent === '' ? name : `${parent}/${name}`;
}

/** The components of any spelling (`/a//b/./c/`), with `..` taken back but never above the root. */
export function cleanComponents(path: string): string[] {
  const components: string[] = [];
  for (const component of path.split('/')) {
    if (component === '..') components.pop();
    else if (component !== '' && component !== '.') components.push(component);
  }
  return components;
}

/** `/a//b/../c/` as a path: `a/c`. Lexical: links are not followed. */
export function cleanPath(path: string): string {
  // Nearly all paths are clean but for the slash behind a folder.
  const short = path.endsWith('/') ? path.slice(0, -1) : path;
  return unclean.test(short) ? cleanComponents(path).join('/') : short;
}

/** A component that is empty, `.` or `..`. */
const unclean = /(?:^|\/)\.{0,2}(?:\/|$)/;

/** Length of the valid UTF-8 sequence at `start`, 0 when there is none. */
function sequenceLength(buffer: Buffer, start: number): number {
  for (let length = 1; length <= 4 && start + length <= buffer.length; length++) {
    if (isUtf8(buffer.subarray(start, start + length))) return length;
  }
  return 0;
}
