import type { Descriptor } from '../oci/descriptor.js';
import { digestAlgorithm } from '../oci/digest.js';
import type { Rereadable } from './rereadable.js';
import { checkDigest, Digester, sizeMismatch } from './verified.js';

/** How far apart the states of the hash are kept that reading can begin again from. */
const stateEvery = 4 * 1024 * 1024;

/**
 * Content that is checked however often, and from wherever, it is read: each byte that is given out has gone through the
 * hash that the end is judged by. Reading from the middle begins at the last state of the hash that was kept before it;
 * what lies between is read for the hash alone. The last chunk is given out only when all of it has proved right.
 */
export class CheckedContent {
  readonly #content: Rereadable;
  readonly #expected: Descriptor;
  readonly #states: Digester[];

  constructor(content: Rereadable, expected: Descriptor) {
    this.#content = content;
    this.#expected = expected;
    this.#states = [new Digester(digestAlgorithm(expected.digest))];
  }

  /** It has been read and cannot be read again. */
  get spent(): boolean {
    return this.#content.spent ?? false;
  }

  /** The bytes from `offset` on. @throws LadingError SIZE_MISMATCH, DIGEST_MISMATCH, and what the content throws */
  async *from(offset: number): AsyncGenerator<Uint8Array> {
    const digester = this.#states.findLast(({ size }) => size <= offset)!.copy();
    let held: Uint8Array | undefined;
    for await (const chunk of this.#content.from(digester.size)) {
      const before = digester.size;
      digester.update(chunk);
      if (digester.size > this.#expected.size) throw sizeMismatch(this.#expected, digester.size);
      if (digester.size >= this.#states.at(-1)!.size + stateEvery) this.#states.push(digester.copy());
      if (digester.size <= offset) continue;
      if (held !== undefined) yield held;
      held = before < offset ? chunk.subarray(offset - before) : chunk;
    }
    checkDigest(digester, this.#expected);
    if (held !== undefined) yield held;
  }
}
