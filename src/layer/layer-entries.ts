import type { LayerIndex } from '../tree/layer-index.js';
import type { LayerRef } from '../tree/node.js';
import type { LayerEntry } from './entry.js';

/**
 * What a layer that was packed here was packed from: packing it again gives the same tar. Contents are read from the
 * layer. Layers of others may hold what is no entry here (opaque folders), or may be another tar of the same entries.
 */
export function layerEntries(index: LayerIndex, layer: LayerRef): LayerEntry[] {
  return index.entries.map(entry => {
    const { path } = entry;
    switch (entry.type) {
      case 'whiteout':
        return { path, whiteout: true };
      case 'hardlink':
        return { path, hardlink: entry.target };
      case 'opaque':
        throw new Error(`the layer ${index.diffId} was not packed here: ${path} is opaque`);
      case 'file': {
        const { offset, ...node } = entry;
        return { path, node: { ...node, content: { kind: 'layer', layer, offset } } };
      }
      default:
        return { path, node: entry };
    }
  });
}
