import * as z from 'zod/mini';
import type { RecordStore } from '../content/content.js';
import { descriptorSchema, digestSchema } from '../oci/descriptor.js';
import { encodeJson } from '../oci/json.js';
import type { CallOptions } from '../stream/bytes.js';
import type { LayerRef } from '../tree/node.js';
import { parseRecord, type RecordValue, recordKey } from './record.js';

/** Where a result came from, kept beside it for people; it is not part of the key. */
export interface StepOrigin {
  /** What tells the step from others, apart from its title, as long as the Dockerfile is only edited here and there. */
  readonly slot: { readonly [field: string]: RecordValue | undefined };
  readonly title: string;
  readonly file: string;
  readonly line: number;
}

/** Results of steps by the record of what went into them. */
export interface StepCache {
  get(record: RecordValue, options?: CallOptions): Promise<LayerRef | undefined>;
  put(record: RecordValue, layer: LayerRef, origin: StepOrigin, options?: CallOptions): Promise<void>;
}

const storedSchema = z.object({
  version: z.literal(1),
  layer: z.object({ diffId: digestSchema, blob: descriptorSchema }),
});

/** The step cache over a store's records. A record that does not read is a miss. */
export function stepCache(records: RecordStore): StepCache {
  return {
    async get(record, options) {
      const stored = await records.getRecord(recordKey(record), options);
      return stored && parseRecord(stored.body, storedSchema)?.layer;
    },
    async put(record, layer, { slot: _, ...origin }, options) {
      const body = Buffer.from(encodeJson({ version: 1, record, layer, origin }));
      await records.putRecord(recordKey(record), { body, blobs: [layer.blob.digest] }, options);
    },
  };
}
