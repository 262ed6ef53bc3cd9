import { LadingError } from '../errors/errors.js';
import type { Descriptor } from '../oci/descriptor.js';
import { isIndexType, isManifestType } from '../oci/media-types.js';
import type { CallOptions } from '../stream/bytes.js';
import type { ContentSource } from './content.js';
import { readIndex, readManifest } from './read-content.js';

/** Indexes nest one or two deep in practice; more is somebody's attempt to keep a reader busy. */
export const maxContentDepth = 8;
/** Nodes of one graph, shared ones counted once. */
export const maxContentNodes = 50_000;

/** A node of a content graph with the nodes it points to. */
export interface ContentNode {
  readonly descriptor: Descriptor;
  readonly children: readonly Descriptor[];
  /** 0 for the root of the walk. */
  readonly depth: number;
}

/**
 * What a node needs to be whole, in the order of its document: an index its manifests, a manifest its config and then
 * its layers, anything else nothing. A `subject` is what a node talks about, not what it needs, and is not followed.
 */
export async function childrenOf(
  source: Pick<ContentSource, 'open'>,
  descriptor: Descriptor,
  options?: CallOptions,
): Promise<readonly Descriptor[]> {
  if (isIndexType(descriptor.mediaType)) return (await readIndex(source, descriptor, options)).value.manifests;
  if (isManifestType(descriptor.mediaType)) {
    const { config, layers } = (await readManifest(source, descriptor, options)).value;
    return [config, ...layers];
  }
  return [];
}

/**
 * Depth first, a parent before its children, every node once. Only indexes and manifests are opened.
 * @throws LadingError INVALID_DOCUMENT when the graph is deeper or larger than any real image
 */
export async function* walk(
  source: Pick<ContentSource, 'open'>,
  root: Descriptor,
  options: CallOptions = {},
): AsyncGenerator<ContentNode> {
  const seen = new Set<string>();
  const pending: Array<{ descriptor: Descriptor; depth: number }> = [{ descriptor: root, depth: 0 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { descriptor, depth } = next;
    const key = nodeKey(descriptor);
    if (seen.has(key)) continue;
    seen.add(key);
    options.signal?.throwIfAborted();
    const children = await childrenOf(source, descriptor, options);
    if (seen.size + children.length > maxContentNodes || (depth >= maxContentDepth && children.length > 0)) {
      throw graphTooLarge(root);
    }
    yield { descriptor, children, depth };
    for (let i = children.length - 1; i >= 0; i--) pending.push({ descriptor: children[i]!, depth: depth + 1 });
  }
}

/** The same bytes under another media type are another node: as a manifest they have children, as a blob none. */
export function nodeKey(descriptor: Descriptor): string {
  const kind = isIndexType(descriptor.mediaType) ? 'index' : isManifestType(descriptor.mediaType) ? 'manifest' : 'blob';
  return `${kind} ${descriptor.digest}`;
}

export function graphTooLarge(root: Descriptor): LadingError<'INVALID_DOCUMENT'> {
  const problem = `its graph is deeper than ${maxContentDepth} or larger than ${maxContentNodes} nodes`;
  return new LadingError('INVALID_DOCUMENT', `not a valid image (${root.digest}): ${problem}`, {
    details: { what: 'image', digest: root.digest, problem },
  });
}
