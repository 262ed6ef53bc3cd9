import { hash } from 'node:crypto';
import type { Digest } from '../oci/digest.js';
import { emptyDigest } from './file-digest.js';
import { indexEntry } from './index-entry.js';
import { IndexRows, metaText } from './index-rows.js';
import type { SegmentPlan } from './segment-plan.js';

/** What is known of a segment without its bytes. */
export interface NamedSegment {
  /** In hexadecimal. Segments with one key have the same bytes, raw and compressed, and the same rows. */
  readonly key: string;
  /** What the index of the layer has of it: see `IndexRows`. A large file is in those of its first piece. */
  readonly rows: string;
}

/** `digests`: of the file of each part that has content, the whole of it, in order. */
export function nameSegment(recipe: string, plan: SegmentPlan, digests: readonly Digest[]): NamedSegment {
  const rows = new IndexRows();
  // What the rows do not say: how the segment is packed, which piece of a file it has, and what links say of their files.
  let more = `${recipe}\n${plan.size} ${plan.last}\n`;
  let contents = 0;
  for (const { at, entry, header, content } of plan.parts) {
    const digest = content === undefined ? emptyDigest : digests[contents++]!;
    if (content !== undefined && content.length < content.node.size) {
      more += `${content.start} ${content.length} ${content.node.size} ${digest}\n`;
    }
    if (header === undefined) continue;
    rows.add(indexEntry(entry, at + header.size, digest));
    if ('hardlink' in entry) more += `${metaText(header.fields)}\n`;
  }
  return { key: hash('sha256', `${more}\n${rows.text}`, 'hex'), rows: rows.text };
}

/** What a layer holds and how it is packed, from the keys of its segments; in hexadecimal. */
export function contentsOf(keys: readonly string[]): string {
  return hash('sha256', keys.join('\n'), 'hex');
}
