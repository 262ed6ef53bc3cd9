import { closeSync } from 'node:fs';
import { LadingError } from '../errors/errors.js';
import type { Bytes, CallOptions } from '../stream/bytes.js';
import type { FileNode } from '../tree/node.js';
import type { ContentReader } from './content-reader.js';
import { checkUnchanged, openHostFile, readHostFile } from './host-file.js';

/** The content of one file, read piece by piece from its beginning. Close it, whatever happens. */
export interface FileCursor {
  /** Reads exactly the next `length` bytes into the buffer. */
  read(buffer: Buffer, at: number, length: number): Promise<void> | void;
  /** Call behind the last byte: fails when there are more, or when the file changed while it was read. */
  finish(): Promise<void> | void;
  close(): void;
}

/** @throws LadingError FILE_CHANGED, IO, and what `read` throws */
export async function openFile(node: FileNode, read: ContentReader, options: CallOptions): Promise<FileCursor> {
  const { content, size } = node;
  switch (content.kind) {
    case 'host': {
      const fd = openHostFile(content);
      let position = 0;
      return {
        read: (buffer, at, length) => {
          readHostFile(fd, content, position, buffer, at, length);
          position += length;
        },
        finish: () => checkUnchanged(fd, content, size),
        close: () => closeSync(fd),
      };
    }
    case 'bytes': {
      let position = 0;
      return {
        read: (buffer, at, length) => {
          buffer.set(content.bytes.subarray(position, position + length), at);
          position += length;
        },
        finish: () => {},
        close: () => {},
      };
    }
    case 'layer':
    case 'blob': {
      const stream = await read(content, size, options);
      const what = content.kind === 'layer' ? `the layer ${content.layer.diffId}` : content.blob.digest;
      return { ...streamCursor(stream, what), close: () => void stream.destroy() };
    }
  }
}

/** A stream read in pieces of the reader's choice. */
function streamCursor(stream: Bytes, what: string): Pick<FileCursor, 'read' | 'finish'> {
  const iterator = stream[Symbol.asyncIterator]();
  let left: Uint8Array = new Uint8Array(0);
  return {
    async read(buffer, at, length) {
      let done = 0;
      while (done < length) {
        if (left.length === 0) {
          const next = await iterator.next();
          if (next.done === true) throw wrongLength(what);
          left = next.value;
        }
        const piece = left.subarray(0, length - done);
        buffer.set(piece, at + done);
        done += piece.length;
        left = left.subarray(piece.length);
      }
    },
    async finish() {
      while (left.length === 0) {
        const next = await iterator.next();
        if (next.done === true) return;
        left = next.value;
      }
      throw wrongLength(what);
    },
  };
}

function wrongLength(what: string): LadingError<'CORRUPT_STREAM'> {
  return new LadingError('CORRUPT_STREAM', `a file in ${what} does not have its length`, {
    details: { what },
  });
}
