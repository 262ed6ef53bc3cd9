import type { RecordValue } from './record.js';

/** Changes when the same contents would be written to another tar. */
const formatVersion = 3;

/**
 * The record of a layer that is a pure function of its entries, which holds for all but RUN: the same entries, packed the
 * same way, are the same layer wherever they come from. What stands for the entries, and for what decides the bytes of the
 * blob, is one hash (see `PackedLayer`), so that the record of a large copy stays small; a miss is traced to the entry by
 * the index of the layer before.
 */
export function layerRecord(contents: string): RecordValue {
  return { kind: 'layer', version: formatVersion, contents };
}
