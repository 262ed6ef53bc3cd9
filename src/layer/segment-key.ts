import { createHash, type Hash } from 'node:crypto';
import type { SegmentLayout } from './segment-layout.js';
import type { SegmentPlan } from './segment-plan.js';

/**
 * What tells a segment from all others, known without its contents: how it is packed, its headers, and the digests of its
 * files (SHA-256, in hexadecimal). Segments with one key have the same bytes, raw and compressed.
 */
export class SegmentKey {
  readonly #hash: Hash;

  /** The headers must be in place in `raw`. */
  constructor(recipe: string, plan: SegmentPlan, { headers }: SegmentLayout, raw: Uint8Array) {
    this.#hash = createHash('sha256');
    this.#hash.update(`${recipe}\n${plan.size} ${plan.last}\n`);
    for (const { content } of plan.parts) {
      if (content !== undefined && content.length < content.node.size) {
        this.#hash.update(`${content.start} ${content.length} ${content.node.size}\n`);
      }
    }
    for (let i = 0; i < headers.length; i += 2) {
      this.#hash.update(raw.subarray(headers[i]!, headers[i]! + headers[i + 1]!));
    }
  }

  /** 128 bits in hexadecimal; what is found by it is compared byte by byte before it is used. Call it once. */
  finish(digests: readonly string[]): string {
    return this.#hash.update(digests.join()).digest('hex').slice(0, 32);
  }
}
