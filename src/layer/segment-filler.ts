import { createHash, type Hash } from 'node:crypto';
import type { Digest } from '../oci/digest.js';
import type { CallOptions } from '../stream/bytes.js';
import type { IndexEntry } from '../tree/layer-index.js';
import type { FileNode, Metadata } from '../tree/node.js';
import type { ContentReader } from './content-reader.js';
import type { LayerEntry } from './entry.js';
import { type FileCursor, openFile } from './file-cursor.js';
import { checkFileDigest, emptyDigest, sha256 } from './file-digest.js';
import { readWholeHostFile } from './host-file.js';
import { endMarkerSize, type FilePiece, type SegmentPart, type SegmentPlan } from './segment-plan.js';
import { paddedSize } from './tar-fields.js';
import { writeHeader } from './tar-header.js';

/**
 * Makes the bytes of planned segments, in their order: headers, and contents read from where they are, straight into
 * place. Every content is hashed; one that is not what its node says (identity, length, digest) is an error.
 */
export class SegmentFiller {
  readonly #read: ContentReader;
  readonly #options: CallOptions;
  readonly #onEntry: (entry: IndexEntry) => void;
  /** The large file whose pieces are being written. */
  #open: { readonly cursor: FileCursor; readonly hash: Hash; readonly offset: number } | undefined;

  constructor(read: ContentReader, onEntry: (entry: IndexEntry) => void, options: CallOptions) {
    this.#read = read;
    this.#onEntry = onEntry;
    this.#options = options;
  }

  /**
   * Fills the first `plan.size` bytes of the buffer.
   * @throws LadingError FILE_CHANGED, DIGEST_MISMATCH, CORRUPT_STREAM, IO
   */
  async fill(plan: SegmentPlan, buffer: Buffer): Promise<void> {
    for (const part of plan.parts) {
      let at = part.at;
      if (part.header !== undefined) {
        writeHeader(part.header, buffer, at);
        at += part.header.size;
      }
      if (part.content === undefined) {
        this.#onEntry(indexEntry(part.entry, plan.offset + at, emptyDigest));
        continue;
      }
      const { node, length } = part.content;
      if (length === node.size) {
        // A host file, by far the most frequent, must not cost a promise.
        if (node.content.kind === 'host') readWholeHostFile(node.content, buffer, at, length);
        else await this.#readWhole(node, buffer, at);
        const digest = sha256(buffer.subarray(at, at + length));
        checkFileDigest(node, digest);
        this.#onEntry(indexEntry(part.entry, plan.offset + at, digest));
      } else {
        await this.#readPiece(part, part.content, plan.offset + at, buffer, at);
      }
      buffer.fill(0, at + length, at + paddedSize(length));
    }
    if (plan.last) buffer.fill(0, plan.size - endMarkerSize, plan.size);
  }

  /** Closes the file that is open when the work ends early. */
  close(): void {
    this.#open?.cursor.close();
    this.#open = undefined;
  }

  async #readWhole(node: FileNode, buffer: Buffer, at: number): Promise<void> {
    const cursor = await openFile(node, this.#read, this.#options);
    try {
      await cursor.read(buffer, at, node.size);
      await cursor.finish();
    } finally {
      cursor.close();
    }
  }

  async #readPiece(part: SegmentPart, piece: FilePiece, offset: number, buffer: Buffer, at: number): Promise<void> {
    const { node, start, length } = piece;
    if (start === 0) {
      const cursor = await openFile(node, this.#read, this.#options);
      this.#open = { cursor, hash: createHash('sha256'), offset };
    }
    const open = this.#open!;
    await open.cursor.read(buffer, at, length);
    open.hash.update(buffer.subarray(at, at + length));
    if (start + length < node.size) return;
    await open.cursor.finish();
    this.close();
    const digest = `sha256:${open.hash.digest('hex')}` as Digest;
    checkFileDigest(node, digest);
    this.#onEntry(indexEntry(part.entry, open.offset, digest));
  }
}

function indexEntry(entry: LayerEntry, offset: number, digest: Digest): IndexEntry {
  const { path } = entry;
  if ('whiteout' in entry) return { type: 'whiteout', path };
  if ('hardlink' in entry) return { type: 'hardlink', path, target: entry.hardlink };
  const { node } = entry;
  const metadata = metadataOf(node);
  switch (node.type) {
    case 'file':
      return { type: 'file', path, ...metadata, size: node.size, digest, offset };
    case 'symlink':
      return { type: 'symlink', path, ...metadata, mode: 0o777, target: node.target };
    case 'character':
    case 'block':
      return { type: node.type, path, ...metadata, major: node.major, minor: node.minor };
    default:
      return { type: node.type, path, ...metadata };
  }
}

function metadataOf({ mode, uid, gid, mtime, xattrs }: Metadata): Metadata {
  if (xattrs === undefined) return { mode, uid, gid, mtime };
  const names = Object.keys(xattrs).sort();
  if (names.length === 0) return { mode, uid, gid, mtime };
  return { mode, uid, gid, mtime, xattrs: Object.fromEntries(names.map(name => [name, xattrs[name]!])) };
}
