import * as z from 'zod/mini';
import type { RecordStore } from '../content/content.js';
import { descriptorSchema, digestSchema } from '../oci/descriptor.js';
import { encodeJson } from '../oci/json.js';
import type { CallOptions } from '../stream/bytes.js';
import type { LayerRef } from '../tree/node.js';
import { parseRecord, recordKey } from './record.js';

const layerSchema = z.object({ diffId: digestSchema, blob: descriptorSchema });

const storedSchema = z.object({
  version: z.literal(1),
  kind: z.literal('failed command'),
  title: z.string(),
  file: z.string(),
  line: z.number(),
  exitCode: z.number(),
  before: z.array(layerSchema),
  layer: layerSchema,
});

/** A RUN that failed, with the files as it left them. */
export interface FailedCommand {
  readonly title: string;
  readonly file: string;
  readonly line: number;
  readonly exitCode: number;
  /** What the command stood on, oldest first. */
  readonly before: readonly LayerRef[];
  /** What it had done when it failed. */
  readonly layer: LayerRef;
}

const key = recordKey({ kind: 'failed command' });

/** Of the last one that was kept. Its layers stay as long as the record, which is part of the cache. */
export async function getFailedCommand(
  records: RecordStore,
  options?: CallOptions,
): Promise<FailedCommand | undefined> {
  const stored = await records.getRecord(key, options);
  return stored && parseRecord(stored.body, storedSchema);
}

export async function putFailedCommand(
  records: RecordStore,
  failed: FailedCommand,
  options?: CallOptions,
): Promise<void> {
  const body = Buffer.from(encodeJson({ version: 1, kind: 'failed command', ...failed }));
  const blobs = new Set([...failed.before, failed.layer].map(({ blob }) => blob.digest));
  await records.putRecord(key, { body, blobs: [...blobs] }, options);
}
