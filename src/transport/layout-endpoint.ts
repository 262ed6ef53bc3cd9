import type { Readable } from 'node:stream';
import type { BlobFinder } from '../content/content.js';
import type { ReferrerSource, ReferrersOptions } from '../content/referrers.js';
import type { Descriptor } from '../oci/descriptor.js';
import { type Digest, isDigest } from '../oci/digest.js';
import { ImageLayout } from '../store/layout.js';
import type { Bytes, CallOptions } from '../stream/bytes.js';
import { digestMismatch } from '../stream/verified.js';
import type { Endpoint } from './endpoint.js';

/** An image layout in a folder as a location. Nothing is open between calls, so that nothing is to be closed. */
export class LayoutEndpoint implements Endpoint, BlobFinder, ReferrerSource {
  readonly name: string;
  readonly #layout: ImageLayout;

  constructor(path: string, name: string) {
    this.#layout = new ImageLayout(path);
    this.name = name;
  }

  resolve(name: string, options?: CallOptions): Promise<Descriptor> {
    return this.#layout.resolve(name, options);
  }

  has(descriptor: Descriptor, options?: CallOptions): Promise<boolean> {
    return this.#layout.has(descriptor, options);
  }

  open(descriptor: Descriptor, options?: CallOptions): Promise<Readable> {
    return this.#layout.open(descriptor, options);
  }

  openFrom(descriptor: Descriptor, offset: number, options?: CallOptions): Promise<Readable> {
    return this.#layout.openFrom(descriptor, offset, options);
  }

  put(descriptor: Descriptor, content: Bytes, options?: CallOptions): Promise<void> {
    return this.#layout.put(descriptor, content, options);
  }

  /** Without a name, or with the image's own digest for one, the image is listed and has none. */
  async tag(descriptor: Descriptor, name: string, options?: CallOptions): Promise<void> {
    if (isDigest(name) && name !== descriptor.digest) throw digestMismatch(name, descriptor.digest);
    if (name === '' || isDigest(name)) await this.#layout.keep(descriptor, options);
    else await this.#layout.tag(descriptor, name, options);
  }

  findBlob(digest: Digest): Promise<Descriptor> {
    return this.#layout.findBlob(digest);
  }

  referrers(subject: Digest, options?: ReferrersOptions): AsyncIterable<Descriptor> {
    return this.#layout.referrers(subject, options);
  }

  async close(): Promise<void> {}

  async abort(): Promise<void> {}
}
