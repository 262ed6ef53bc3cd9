import { hash } from 'node:crypto';
import type { Digest } from '../oci/digest.js';
import { copyDigest, digestBytes } from '../oci/digest-bytes.js';
import { emptyDigest } from './file-digest.js';
import { indexEntry } from './index-entry.js';
import { IndexRows } from './index-rows.js';
import type { SegmentPart, SegmentPlan } from './segment-plan.js';
import type { TarEntryType } from './tar-entry.js';
import type { TarHeaderFields } from './tar-header.js';

/**
 * Names a segment without its bytes: segments with one key have the same bytes, raw and compressed, and the same rows of an
 * index. In hexadecimal. `digests`: of the file of each part that has content, the whole of it, in order.
 */
export function segmentKey(recipe: string, { parts, size, last }: SegmentPlan, digests: Uint8Array): string {
  at = 0;
  writeText(`${recipe}\n${size} ${last}\n`);
  let from = 0;
  for (const part of parts) {
    writePart(part);
    if (part.content === undefined) continue;
    need(digestBytes);
    copyDigest(digests, from, bytes, at);
    at += digestBytes;
    from += digestBytes;
  }
  return hash('sha256', bytes.subarray(0, at), 'hex');
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

/** Where keys are written to be hashed, which is synchronous: texts of all entries of a layer would be mostly garbage. */
let bytes = Buffer.alloc(256 * 1024);
let view = new DataView(bytes.buffer, bytes.byteOffset);
let at = 0;

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

function writeFields(fields: TarHeaderFields): void {
  const { path, mode, uid, gid, mtime, mtimeNanoseconds = 0, linkTarget = '', major = 0, minor = 0, xattrs } = fields;
  writeNumbers(mode, uid, gid);
  writeNumbers(mtime, mtimeNanoseconds, major);
  writeNumbers(minor, 0, 0);
  writeText(path);
  writeText(linkTarget);
  writeText(xattrs === undefined ? '' : JSON.stringify(Object.entries(xattrs).sort(([a], [b]) => (a < b ? -1 : 1))));
}

function writeNumbers(a: number, b: number, c: number): void {
  need(24);
  view.setFloat64(at, a);
  view.setFloat64(at + 8, b);
  view.setFloat64(at + 16, c);
  at += 24;
}

/** Begins with the length, so that no other texts give the same bytes. */
function writeText(text: string): void {
  need(8 + 3 * text.length);
  view.setFloat64(at, text.length);
  at += 8;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) {
      bytes[at++] = 0x80 | (code >> 14);
      bytes[at++] = (code >> 7) & 0x7f;
      bytes[at++] = code & 0x7f;
    } else bytes[at++] = code;
  }
}

function need(room: number): void {
  if (at + room <= bytes.length) return;
  const larger = Buffer.alloc(2 * (at + room));
  larger.set(bytes.subarray(0, at));
  bytes = larger;
  view = new DataView(bytes.buffer, bytes.byteOffset);
}
