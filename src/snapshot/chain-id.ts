import { type Digest, digestOf } from '../oci/digest.js';
import type { LayerRef } from '../tree/node.js';

/** What layers make, oldest first: OCI's ChainID (image-spec, config.md), and the digest of nothing for no layer. */
export function chainId(layers: readonly Pick<LayerRef, 'diffId'>[]): Digest {
  const [first, ...more] = layers;
  if (first === undefined) return digestOf('');
  return more.reduce((chain, { diffId }) => digestOf(`${chain} ${diffId}`), first.diffId);
}
