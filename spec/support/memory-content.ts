import { Readable } from 'node:stream';
import type { BlobFinder, ContentSource, ContentTarget, PartSource } from '../../src/content/content.js';
import { type ReferrerSource, type ReferrersOptions, referrersAmong } from '../../src/content/referrers.js';
import { childrenOf } from '../../src/content/walk.js';
import { LadingError } from '../../src/errors/errors.js';
import type { Descriptor } from '../../src/oci/descriptor.js';
import { type Digest, digestOf, isDigest } from '../../src/oci/digest.js';
import type { Bytes, CallOptions } from '../../src/stream/bytes.js';
import { verified } from '../../src/stream/verified.js';

/** Content in memory: what a test copies from and to, with its bytes open to be spoilt. */
export class MemoryContent implements ContentSource, PartSource, ContentTarget, BlobFinder, ReferrerSource {
  readonly blobs = new Map<Digest, Uint8Array>();
  readonly names = new Map<string, Descriptor>();
  readonly kept = new Map<Digest, Descriptor>();
  /** What was done, in order: `put sha256:…`, `tag name`. */
  readonly log: string[] = [];

  add(mediaType: string, bytes: Uint8Array | string): Descriptor {
    const data = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
    const digest = digestOf(data);
    this.blobs.set(digest, data);
    return { mediaType, digest, size: data.length };
  }

  async resolve(name: string): Promise<Descriptor> {
    const found = this.names.get(name) ?? [...this.names.values()].find(({ digest }) => digest === name);
    if (found) return found;
    throw new LadingError('REFERENCE_NOT_FOUND', `there is no ${name}`, { details: { reference: name } });
  }

  async has(descriptor: Descriptor, options: CallOptions = {}): Promise<boolean> {
    options.signal?.throwIfAborted();
    if (this.blobs.get(descriptor.digest)?.length !== descriptor.size) return false;
    const children = await childrenOf(this, descriptor);
    for (const child of children) if (!(await this.has(child))) return false;
    return true;
  }

  async open(descriptor: Descriptor, options: CallOptions = {}): Promise<Readable> {
    options.signal?.throwIfAborted();
    const bytes = this.blobs.get(descriptor.digest);
    if (bytes === undefined) {
      throw new LadingError('BLOB_NOT_FOUND', `there is no ${descriptor.digest}`, {
        details: { digest: descriptor.digest },
      });
    }
    return Readable.from(verified(pieces(bytes), descriptor), { objectMode: false, signal: options.signal });
  }

  async openFrom(descriptor: Descriptor, offset: number, options: CallOptions = {}): Promise<Readable> {
    const bytes = this.blobs.get(descriptor.digest);
    if (bytes === undefined) return this.open(descriptor, options);
    return Readable.from(pieces(bytes.subarray(offset)), { objectMode: false, signal: options.signal });
  }

  async put(descriptor: Descriptor, content: Bytes, options: CallOptions = {}): Promise<void> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of verified(content, descriptor)) {
      options.signal?.throwIfAborted();
      chunks.push(Buffer.from(chunk));
    }
    this.blobs.set(descriptor.digest, Buffer.concat(chunks));
    this.log.push(`put ${descriptor.digest}`);
  }

  async findBlob(digest: Digest): Promise<Descriptor> {
    return { mediaType: 'application/octet-stream', digest, size: this.blobs.get(digest)!.length };
  }

  async keep(descriptor: Descriptor): Promise<void> {
    this.kept.set(descriptor.digest, descriptor);
    this.log.push(`keep ${descriptor.digest}`);
  }

  referrers(subject: Digest, options?: ReferrersOptions): AsyncIterable<Descriptor> {
    return referrersAmong(this, [...this.names.values(), ...this.kept.values()], subject, options);
  }

  async tag(descriptor: Descriptor, name: string): Promise<void> {
    if (isDigest(name) || !(await this.has(descriptor))) {
      throw new LadingError('BLOB_NOT_FOUND', `there is no ${descriptor.digest}`, {
        details: { digest: descriptor.digest },
      });
    }
    const { mediaType, digest, size } = descriptor;
    this.names.set(name, { mediaType, digest, size });
    this.log.push(`tag ${name}`);
  }
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 64 * 1024) yield bytes.subarray(at, at + 64 * 1024);
}
