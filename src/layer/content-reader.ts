import type { Readable } from 'node:stream';
import type { Descriptor } from '../oci/descriptor.js';
import type { CallOptions } from '../stream/bytes.js';
import type { FileContent } from '../tree/node.js';
import type { LayerStore } from './layer-store.js';

/** Where a file's bytes are when a store has them: in a layer, or in a blob. */
export type StoredContent = Extract<FileContent, { readonly kind: 'layer' | 'blob' }>;

/** Opens the `size` bytes of a file that lies in a store; the caller reads them to the end or destroys the stream. */
export type ContentReader = (content: StoredContent, size: number, options: CallOptions) => Promise<Readable>;

/** What has the bytes of files. */
export interface ContentStore extends Pick<LayerStore, 'openRange'> {
  /** `length` bytes of a blob, whatever is in it, at `offset`. Only the whole of it is held to its digest. */
  openPart(blob: Descriptor, offset: number, length: number, options?: CallOptions): Promise<Readable>;
}

export function contentReader(store: ContentStore): ContentReader {
  return (content, size, options) =>
    content.kind === 'blob'
      ? store.openPart(content.blob, content.offset, size, options)
      : store.openRange(content.layer, content.offset, size, options);
}
