import * as z from 'zod/mini';
import type { ContentSource, RecordStore } from '../content/content.js';
import type { WebFile } from '../content/web-file.js';
import { descriptorSchema } from '../oci/descriptor.js';
import { encodeJson } from '../oci/json.js';
import type { CallOptions } from '../stream/bytes.js';
import { parseRecord, recordKey } from './record.js';

/** What was last found behind addresses of the web. The bytes are blobs, and stay as long as their record. */
export interface WebFileCache {
  get(url: URL, options?: CallOptions): Promise<WebFile | undefined>;
  put(url: URL, file: WebFile, options?: CallOptions): Promise<void>;
}

const storedSchema = z.object({
  version: z.literal(1),
  kind: z.literal('web file'),
  file: z.object({
    blob: descriptorSchema,
    etag: z.optional(z.string()),
    lastModified: z.optional(z.int().check(z.nonnegative())),
  }),
});

/** The cache over a store's records and blobs. A record that does not read, or without its blob, is none. */
export function webFileCache(store: RecordStore & Pick<ContentSource, 'has'>): WebFileCache {
  return {
    async get(url, options) {
      const stored = await store.getRecord(keyOf(url), options);
      const file = stored && parseRecord(stored.body, storedSchema)?.file;
      if (file === undefined || !stored!.blobs.includes(file.blob.digest)) return undefined;
      return (await store.has(file.blob, options)) ? file : undefined;
    },
    async put(url, file, options) {
      const body = Buffer.from(encodeJson({ version: 1, kind: 'web file', file }));
      await store.putRecord(keyOf(url), { body, blobs: [file.blob.digest] }, options);
    },
  };
}

/** Only a hash of the address is kept, for what it may hold; user and password are no part of what it names. */
function keyOf(url: URL): string {
  const plain = new URL(url);
  plain.username = '';
  plain.password = '';
  plain.hash = '';
  return recordKey({ kind: 'web file', url: plain.href });
}
