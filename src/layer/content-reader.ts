import type { Readable } from 'node:stream';
import type { CallOptions } from '../stream/bytes.js';
import type { FileContent } from '../tree/node.js';

/** Where a file's bytes are when they are in a stored layer. */
export type LayerContent = Extract<FileContent, { readonly kind: 'layer' }>;

/** Opens the `size` bytes of a file that lies in a stored layer; the caller reads them to the end or destroys the stream. */
export type ContentReader = (content: LayerContent, size: number, options: CallOptions) => Promise<Readable>;
