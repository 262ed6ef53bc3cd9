import type { CallOptions } from '../stream/bytes.js';
import { identitySize } from '../tree/host-identity.js';
import type { ContentReader, StoredContent } from './content-reader.js';
import { openFile } from './file-cursor.js';
import { fileChanged } from './host-file.js';
import { type HostRead, type HostReads, hostReads } from './host-reads.js';
import { endMarkerSize, type FilePiece, type SegmentPlan } from './segment-plan.js';
import { paddedSize } from './tar-fields.js';
import { writeHeader } from './tar-header.js';

/** What is where in a segment's buffer. */
export interface SegmentLayout {
  /** Contents that are files of this machine, still to be read into place. */
  readonly reads: HostReads;
  /** Contents that lie in a store, still to be read into place. */
  readonly storedParts: ReadonlyArray<{ readonly at: number; readonly piece: FilePiece }>;
  /** Pairs of offset and length: contents that are whole files, in the order of the plan. */
  readonly contents: Float64Array;
}

/**
 * Writes all of a segment into the buffer that needs no reading: headers, padding, the end marker, contents in memory.
 * @throws LadingError FILE_CHANGED for a file that did not have its size when it was listed
 */
export function layOut(plan: SegmentPlan, buffer: Buffer): SegmentLayout {
  const reads: HostRead[] = [];
  const storedParts: Array<{ at: number; piece: FilePiece }> = [];
  const contents: number[] = [];
  for (const { at: start, header, content } of plan.parts) {
    let at = start;
    if (header !== undefined) {
      writeHeader(header, buffer, at);
      at += header.size;
    }
    if (content === undefined) continue;
    const { node, length } = content;
    if (length === node.size) contents.push(at, length);
    const source = node.content;
    if (source.kind === 'bytes') buffer.set(source.bytes.subarray(content.start, content.start + length), at);
    else if (source.kind !== 'host') storedParts.push({ at, piece: content });
    else {
      const end = (source.offset ?? 0) + node.size;
      const whole = identitySize(source.identity);
      if (source.offset === undefined ? whole !== end : whole < end) {
        throw fileChanged(source.path);
      }
      reads.push({ content: source, at, length, start: content.start });
    }
    // Byte by byte: there are few, and a call takes longer.
    for (let pad = at + length, end = at + paddedSize(length); pad < end; pad++) buffer[pad] = 0;
  }
  if (plan.last) buffer.fill(0, plan.size - endMarkerSize, plan.size);
  return {
    reads: hostReads(reads),
    storedParts,
    contents: Float64Array.from(contents),
  };
}

/** Reads what lies in a store into place. */
export async function fillFromStore(
  { storedParts }: SegmentLayout,
  buffer: Buffer,
  read: ContentReader,
  options: CallOptions,
): Promise<void> {
  for (const { at, piece } of storedParts) {
    const { node, start, length } = piece;
    const whole = node.content as StoredContent;
    const content = { ...whole, offset: whole.offset + start };
    const cursor = await openFile({ ...node, size: length, content }, read, options);
    try {
      await cursor.read(buffer, at, length);
      await cursor.finish();
    } finally {
      cursor.close();
    }
  }
}
