/**
 * Where a layer's tar is cut. Each segment is compressed on its own, so the cuts decide bytes: they depend on the
 * entries alone, never on time or concurrency. They are chosen by the paths around them (content-defined, as in
 * deduplicating backup programs), so that a file that grows or comes new moves the cuts near it and no others, and the
 * segments further on can be taken over from an earlier layer.
 */
import { LadingError } from '../errors/errors.js';
import type { FileNode, Metadata } from '../tree/node.js';
import type { LayerEntry } from './entry.js';
import { blockSize, paddedSize } from './tar-fields.js';
import { type PreparedHeader, prepareHeader } from './tar-header.js';
import { looksLikeWhiteout, whiteoutPath } from './whiteout.js';

/** Bytes below which a segment is not cut, and what comes on top of them on average. */
const smallestCut = 512 * 1024;
const averageRest = 512 * 1024;
/** Bytes past which small files are not added to a segment. */
const largestSegment = 2 * 1024 * 1024;
/** Files above this size have segments of their own, cut at multiples of it. */
const pieceSize = 1024 * 1024;
export const endMarkerSize = 2 * blockSize;

/** Room that any segment fits in: the largest one, with a header of the largest size in front. */
export const segmentCapacity = largestSegment + 8 * 1024;

/** A header, a file's content (whole or a piece), or both, at a place in a segment. */
export interface SegmentPart {
  /** Bytes into the segment. */
  readonly at: number;
  readonly entry: LayerEntry;
  /** Absent on the further pieces of a large file. */
  readonly header?: PreparedHeader | undefined;
  readonly content?: FilePiece | undefined;
}

export interface FilePiece {
  readonly node: FileNode;
  /** Bytes into the file. */
  readonly start: number;
  readonly length: number;
}

export interface SegmentPlan {
  /** Bytes into the tar. */
  readonly offset: number;
  readonly size: number;
  readonly parts: readonly SegmentPart[];
  /** The last segment ends with the end marker. */
  readonly last: boolean;
}

/**
 * Lazily cuts the tar of these entries into segments; there is always at least one. Entries for the root itself are
 * passed over: layers have none.
 * @throws LadingError PATH_INVALID for names that readers of layers take for whiteouts; INVALID_ARCHIVE for what no tar can say
 */
export function* planSegments(entries: Iterable<LayerEntry>): Generator<SegmentPlan> {
  let offset = 0;
  let size = 0;
  let parts: SegmentPart[] = [];
  const cut = (last: boolean): SegmentPlan => {
    const plan: SegmentPlan = { offset, size: last ? size + endMarkerSize : size, parts, last };
    offset += size;
    size = 0;
    parts = [];
    return plan;
  };
  const links = new LinkTargets();
  for (const entry of entries) {
    if (entry.path === '') continue;
    links.add(entry);
    const header = headerOf(entry, links);
    const node = 'node' in entry && entry.node.type === 'file' ? entry.node : undefined;
    if (node !== undefined && node.size > pieceSize) {
      if (size > 0) yield cut(false);
      for (let start = 0; start < node.size; start += pieceSize) {
        const length = Math.min(pieceSize, node.size - start);
        parts.push({ at: 0, entry, header: start === 0 ? header : undefined, content: { node, start, length } });
        size = (start === 0 ? header.size : 0) + paddedSize(length);
        yield cut(false);
      }
      continue;
    }
    const length = header.size + paddedSize(node?.size ?? 0);
    if (size > 0 && size + length > largestSegment) yield cut(false);
    const content = node === undefined || node.size === 0 ? undefined : { node, start: 0, length: node.size };
    parts.push({ at: size, entry, header, content });
    size += length;
    if (size >= smallestCut && cutsBehind(entry.path, length)) yield cut(false);
  }
  yield cut(true);
}

/** How many segments before this one have pieces of the same file. */
export function piecesBefore({ parts }: SegmentPlan): number {
  return (parts[0]?.content?.start ?? 0) / pieceSize;
}

/** How many behind it have. */
export function piecesBehind({ parts }: SegmentPlan): number {
  const content = parts[0]?.content;
  return content === undefined ? 0 : Math.ceil((content.node.size - content.start - content.length) / pieceSize);
}

/** By the name, more probably behind a larger entry, so that segments come out alike in bytes. */
function cutsBehind(path: string, length: number): boolean {
  let fnv = 0x811c9dc5;
  for (let i = 0; i < path.length; i++) fnv = Math.imul(fnv ^ path.charCodeAt(i), 0x01000193);
  // FNV leaves names that differ only in their last letter close to each other: spread them.
  fnv = Math.imul(fnv ^ (fnv >>> 15), 0x2c1b3c6d);
  return ((fnv ^ (fnv >>> 13)) >>> 0) / 2 ** 32 < length / averageRest;
}

function headerOf(entry: LayerEntry, links: LinkTargets): PreparedHeader {
  if ('whiteout' in entry) {
    const path = whiteoutPath(entry.path);
    return prepareHeader({ type: 'file', path, mode: 0, uid: 0, gid: 0, mtime: 0 });
  }
  if (looksLikeWhiteout(entry.path)) throw whiteoutName(entry.path);
  if ('hardlink' in entry) {
    const { mode, uid, gid, mtime, mtimeNanoseconds, xattrs } = entry.metadata ?? links.metadata(entry.hardlink);
    const { path, hardlink: linkTarget } = entry;
    return prepareHeader({ type: 'hardlink', path, linkTarget, mode, uid, gid, mtime, mtimeNanoseconds, xattrs });
  }
  const { path, node } = entry;
  const { type, mode, uid, gid, mtime, mtimeNanoseconds, xattrs } = node;
  switch (node.type) {
    case 'file':
      return prepareHeader({ type, path, mode, uid, gid, mtime, mtimeNanoseconds, xattrs, size: node.size });
    case 'symlink':
      return prepareHeader({
        type,
        path,
        mode: 0o777,
        uid,
        gid,
        mtime,
        mtimeNanoseconds,
        xattrs,
        linkTarget: node.target,
      });
    case 'character':
    case 'block':
      return prepareHeader({
        type,
        path,
        mode,
        uid,
        gid,
        mtime,
        mtimeNanoseconds,
        xattrs,
        major: node.major,
        minor: node.minor,
      });
    default:
      return prepareHeader({ type, path, mode, uid, gid, mtime, mtimeNanoseconds, xattrs });
  }
}

/** The metadata of files already written, for the hard links to them; nothing is looked up in layers without links. */
class LinkTargets {
  readonly #entries: LayerEntry[] = [];
  readonly #byPath = new Map<string, Metadata>();
  #mapped = 0;

  add(entry: LayerEntry): void {
    if ('hardlink' in entry || ('node' in entry && mayBeLinked(entry.node))) this.#entries.push(entry);
  }

  metadata(path: string): Metadata {
    for (; this.#mapped < this.#entries.length; this.#mapped++) {
      const entry = this.#entries[this.#mapped]!;
      const metadata = 'node' in entry ? entry.node : this.#ofLink(entry);
      if (metadata !== undefined) this.#byPath.set(entry.path, metadata);
    }
    const found = this.#byPath.get(path);
    if (found === undefined) throw new Error(`the hard link's target ${path} is not in this layer and has no metadata`);
    return found;
  }

  #ofLink(entry: LayerEntry): Metadata | undefined {
    return 'hardlink' in entry ? (entry.metadata ?? this.#byPath.get(entry.hardlink)) : undefined;
  }
}

function mayBeLinked(node: { readonly type: string; readonly single?: boolean | undefined }): boolean {
  return node.type !== 'directory' && node.single !== true;
}

function whiteoutName(path: string): LadingError<'PATH_INVALID'> {
  const shown = path.toWellFormed();
  return new LadingError(
    'PATH_INVALID',
    `${shown} cannot be stored in a layer: names with .wh. in front mean removal`,
    {
      details: { path: shown, problem: 'the name begins with .wh.' },
      hint: 'Rename the file, or exclude it.',
    },
  );
}
