import { hash } from 'node:crypto';
import type { Digest } from '../oci/digest.js';
import { digestBytes } from '../oci/digest-bytes.js';
import { emptyDigest } from './file-digest.js';
import { indexEntry } from './index-entry.js';
import { IndexRows } from './index-rows.js';
import { beginKey, endKey, writeBytes, writeNumbers, writeText } from './key-bytes.js';
import { type PlainFiles, plainLength } from './plain-files.js';
import type { SegmentPart, SegmentPlan } from './segment-plan.js';
import type { TarEntryType } from './tar-entry.js';
import type { TarHeaderFields } from './tar-header.js';

/**
 * Names a segment without its bytes: segments with one key have the same bytes, raw and compressed, and the same rows of an
 * index. In hexadecimal. `digests`: of the file of each part that has content, the whole of it, in order.
 */
export function segmentKey(recipe: string, { items, size, last }: SegmentPlan, digests: Uint8Array): string {
  beginKey();
  writeText(`${recipe}\n${size} ${last}\n`);
  let from = 0;
  for (const item of items) {
    if ('run' in item) from = writePlain(item, digests, from);
    else {
      writePart(item);
      if (item.content !== undefined) from = writeDigest(digests, from);
    }
  }
  return endKey();
}

/** What the index of the layer has of a segment: see `IndexRows`. A large file is in those of its first piece. */
export function rowsOfSegment({ parts }: SegmentPlan, digests: Uint8Array): string {
  const rows = new IndexRows();
  const texts = Buffer.from(digests.buffer, digests.byteOffset, digests.length).toString('hex');
  let contents = 0;
  for (const { at, entry, header, content } of parts) {
    const digest = content === undefined ? emptyDigest : textOf(texts, contents++);
    if (header !== undefined) rows.add(indexEntry(entry, at + header.size, digest));
  }
  return rows.text;
}

/** What a layer holds and how it is packed, from the keys of its segments; in hexadecimal. */
export function contentsOf(keys: readonly string[]): string {
  return hash('sha256', keys.join('\n'), 'hex');
}

const typeNumbers: Readonly<Record<TarEntryType, number>> = {
  file: 1,
  hardlink: 2,
  symlink: 3,
  character: 4,
  block: 5,
  directory: 6,
  fifo: 7,
};

function textOf(texts: string, place: number): Digest {
  const length = 2 * digestBytes;
  return `sha256:${texts.slice(place * length, (place + 1) * length)}` as Digest;
}

function writePart({ at: start, header, content }: SegmentPart): void {
  writeNumbers(start, header === undefined ? 0 : typeNumbers[header.fields.type], content?.start ?? 0);
  writeNumbers(content?.length ?? 0, content?.node.size ?? 0, 0);
  if (header !== undefined) writeFields(header.fields);
}

/** The same as its parts. */
function writePlain({ at: first, run }: PlainFiles, digests: Uint8Array, digestsFrom: number): number {
  const { folder, names, nodes } = run;
  const above = folder === '' ? '' : `${folder}/`;
  let start = first;
  let digestAt = digestsFrom;
  for (let place = 0; place < nodes.length; place++) {
    const node = nodes[place]!;
    writeNumbers(start, typeNumbers.file, 0);
    writeNumbers(node.size, node.size, 0);
    writeNumbers(node.mode, node.uid, node.gid);
    writeNumbers(node.mtime, 0, 0);
    writeNumbers(0, 0, 0);
    writeText(above, names[place]!);
    writeText('');
    writeText('');
    if (node.size > 0) digestAt = writeDigest(digests, digestAt);
    start += plainLength(node);
  }
  return digestAt;
}

/** Returns where the next one is. */
function writeDigest(digests: Uint8Array, from: number): number {
  writeBytes(digests, from, digestBytes);
  return from + digestBytes;
}

function writeFields(fields: TarHeaderFields): void {
  const { path, mode, uid, gid, mtime, mtimeNanoseconds = 0, linkTarget = '', major = 0, minor = 0, xattrs } = fields;
  writeNumbers(mode, uid, gid);
  writeNumbers(mtime, mtimeNanoseconds, major);
  writeNumbers(minor, 0, 0);
  writeText(path);
  writeText(linkTarget);
  writeText(xattrs === undefined ? '' : JSON.stringify(Object.entries(xattrs).sort(([a], [b]) => (a < b ? -1 : 1))));
}
