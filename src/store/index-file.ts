import { join } from 'node:path';
import * as z from 'zod/mini';
import { type Descriptor, descriptorSchema } from '../oci/descriptor.js';
import { orNone } from '../oci/empty.js';
import { encodeJson, parseDocument } from '../oci/json.js';
import { mediaTypes } from '../oci/media-types.js';
import type { CallOptions } from '../stream/bytes.js';
import { replaceFile } from './durable.js';
import type { FileLock } from './file-lock.js';
import { readRegularFile } from './verified-file.js';

/** Far above what 50,000 images need. */
const indexFileLimit = 32 * 1024 * 1024;

const schema = z.looseObject({
  schemaVersion: z.literal(2),
  manifests: orNone(descriptorSchema),
});

type IndexDocument = z.infer<typeof schema>;

/** `index.json` of an image layout: which images there are, and their names. */
export class IndexFile {
  readonly path: string;
  readonly #lock: FileLock;
  readonly #temporary: () => Promise<string>;

  constructor(root: string, lock: FileLock, temporary: () => Promise<string>) {
    this.path = join(root, 'index.json');
    this.#lock = lock;
    this.#temporary = temporary;
  }

  /** The entries, with all their annotations; none when the file is not there yet. */
  async read(): Promise<readonly Descriptor[]> {
    return (await this.#read()).manifests;
  }

  /**
   * Replaces the entries with what `change` makes of them; nothing is written when it returns the same array.
   * What other tools keep in the file stays.
   */
  async update(
    change: (entries: readonly Descriptor[]) => readonly Descriptor[] | Promise<readonly Descriptor[]>,
    options?: CallOptions,
  ): Promise<void> {
    await this.#lock.hold(async () => {
      const document = await this.#read();
      const manifests = await change(document.manifests);
      if (manifests === document.manifests) return;
      const bytes = Buffer.from(encodeJson({ ...document, manifests }));
      await replaceFile(this.path, bytes, { temporary: await this.#temporary(), durable: true });
    }, options);
  }

  async #read(): Promise<IndexDocument> {
    const bytes = await readRegularFile(this.path, indexFileLimit);
    if (bytes === undefined) return { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] };
    return parseDocument(bytes, schema, 'index.json of an image layout');
  }
}
