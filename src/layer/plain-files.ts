import type { FileNode } from '../tree/node.js';
import { joinPath } from '../tree/path.js';
import { fileHeader } from './entry-header.js';
import { type FileRun, runEntry } from './file-run.js';
import type { SegmentPart } from './segment-plan.js';
import { blockSize, fields, fitsOctal, isAscii, paddedSize } from './tar-fields.js';
import { looksLikeWhiteout, whiteoutPrefix } from './whiteout.js';

/**
 * Files of a run that stand one behind another in a segment, whole, with headers of one block: what is in them follows from
 * the files, so parts are made only of those of segments that are.
 */
export interface PlainFiles {
  /** Bytes into the segment. */
  readonly at: number;
  readonly run: FileRun;
}

/** Bytes of a file with its header. */
export function plainLength({ size }: FileNode): number {
  return blockSize + paddedSize(size);
}

/** Says of files of a folder whether their headers are plain. */
export function plainTest(folder: string): (name: string, node: FileNode) => boolean {
  const [, nameLength] = fields.name;
  const room = looksLikeWhiteout(folder) || !isAscii(folder) ? -1 : nameLength - joinPath(folder, '').length;
  return (name, node) =>
    name.length <= room && isAscii(name) && !name.startsWith(whiteoutPrefix) && hasPlainNumbers(node);
}

function hasPlainNumbers({ uid, gid, size, mtime, mtimeNanoseconds = 0 }: FileNode): boolean {
  return (
    mtimeNanoseconds === 0 &&
    fitsOctal(mtime, fields.mtime[1]) &&
    fitsOctal(uid, fields.uid[1]) &&
    fitsOctal(gid, fields.gid[1]) &&
    fitsOctal(size, fields.size[1])
  );
}

export function partsOfPlain({ at: start, run }: PlainFiles): SegmentPart[] {
  const parts: SegmentPart[] = [];
  let at = start;
  for (let place = 0; place < run.count; place++) {
    const entry = runEntry(run, place);
    const { node, path } = entry;
    const content = node.size === 0 ? undefined : { node, start: 0, length: node.size };
    parts.push({ at, entry, header: fileHeader(path, node), content });
    at += plainLength(node);
  }
  return parts;
}
