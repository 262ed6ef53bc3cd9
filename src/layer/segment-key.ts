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
    this.#hash.update(gathered(headers, raw));
  }

  /** In hexadecimal. Call it once. */
  finish(digests: readonly string[]): string {
    return this.#hash.update(digests.join()).digest('hex');
  }
}

/** These parts one behind the other: to hash each by itself would take longer than to copy them. */
function gathered(parts: Float64Array, raw: Uint8Array): Uint8Array {
  let size = 0;
  for (let i = 1; i < parts.length; i += 2) size += parts[i]!;
  const bytes = Buffer.allocUnsafe(size);
  const source = Buffer.from(raw.buffer, raw.byteOffset, raw.length);
  let at = 0;
  for (let i = 0; i < parts.length; i += 2) at += source.copy(bytes, at, parts[i]!, parts[i]! + parts[i + 1]!);
  return bytes;
}
