import type { Bytes } from './bytes.js';

/**
 * Content that can be read more than once, and from any place on: who takes it in goes on where it was, whether what
 * broke off was a connection or an earlier process. Nothing is opened before it is read.
 */
export interface Rereadable extends Bytes {
  /** The bytes from `offset` on. Nothing else of the content may be read at the same time. */
  from(offset: number): AsyncGenerator<Uint8Array>;
  /** It has been read, and cannot be read again after all. */
  readonly spent?: boolean;
}

export function rereadable(from: Rereadable['from']): Rereadable {
  return { from, [Symbol.asyncIterator]: () => from(0) };
}

export function isRereadable(content: Bytes): content is Rereadable {
  return 'from' in content && typeof content.from === 'function';
}

/** Content that comes once, in the form of content that can be read again: until it has been read. */
export function readableOnce(content: Bytes): Rereadable {
  let spent = false;
  return {
    get spent() {
      return spent;
    },
    async *from(offset) {
      if (spent || offset !== 0) throw new Error('this content can be read only once');
      spent = true;
      yield* content;
    },
    [Symbol.asyncIterator]() {
      return this.from(0);
    },
  };
}
