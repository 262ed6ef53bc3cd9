import { Readable } from 'node:stream';
import type { ContentSource, PartSource } from '../../content/content.js';
import { LadingError } from '../../errors/errors.js';
import type { Descriptor } from '../../oci/descriptor.js';
import { type Digest, digestAlgorithm, digestHex } from '../../oci/digest.js';
import { type CallOptions, inOnePiece } from '../../stream/bytes.js';
import { sizeMismatch, verifiedStream } from '../../stream/verified.js';
import type { Endpoint } from '../endpoint.js';
import type { TarFile, TarMember } from './tar-file.js';

/** An image of an archive under one of its names. */
export interface ArchivedImage {
  /** A whole reference. */
  readonly name?: string | undefined;
  readonly descriptor: Descriptor;
}

/** What is in an archive that is only read; the formats differ in how a name is resolved and where blobs lie. */
export abstract class ArchiveSource implements ContentSource, PartSource, Endpoint {
  readonly name: string;
  protected readonly tar: TarFile;
  /** Blobs that lie elsewhere than in the layout, and documents that are not in the archive at all. */
  protected readonly placed = new Map<Digest, TarMember | Buffer>();

  constructor(tar: TarFile, name: string) {
    this.tar = tar;
    this.name = name;
  }

  abstract resolve(name: string, options?: CallOptions): Promise<Descriptor>;

  /** Every image, once for each whole name that it has, or once without a name. */
  abstract images(options?: CallOptions): Promise<ArchivedImage[]>;

  async has({ digest }: Descriptor, { signal }: CallOptions = {}): Promise<boolean> {
    signal?.throwIfAborted();
    return this.#place(digest) !== undefined;
  }

  async open(descriptor: Descriptor, options: CallOptions = {}): Promise<Readable> {
    return verifiedStream(await this.openFrom(descriptor, 0, options), descriptor);
  }

  async openFrom(descriptor: Descriptor, offset: number, options: CallOptions = {}): Promise<Readable> {
    options.signal?.throwIfAborted();
    const place = this.#place(descriptor.digest);
    if (place === undefined) {
      throw new LadingError('BLOB_NOT_FOUND', `${this.tar.title} does not hold ${descriptor.digest}`, {
        details: { digest: descriptor.digest },
        hint: 'The archive holds only a part of the image; save it again.',
      });
    }
    const size = Buffer.isBuffer(place) ? place.length : place.size;
    if (size !== descriptor.size) throw sizeMismatch(descriptor, size);
    if (Buffer.isBuffer(place)) return Readable.from(inOnePiece(place.subarray(offset)), { objectMode: false });
    return this.tar.read({ ...place, offset: place.offset + offset, size: size - offset }, options);
  }

  async put(): Promise<void> {
    throw this.#readOnly();
  }

  async tag(): Promise<void> {
    throw this.#readOnly();
  }

  async close(): Promise<void> {
    await this.tar.close();
  }

  abort(): Promise<void> {
    return this.close();
  }

  #place(digest: Digest): TarMember | Buffer | undefined {
    return this.placed.get(digest) ?? this.tar.member(blobPath(digest));
  }

  #readOnly(): LadingError<'UNSUPPORTED'> {
    return new LadingError('UNSUPPORTED', `${this.tar.title} was opened for reading`, {
      details: { feature: 'changing an archive' },
      hint: 'Write a new archive.',
    });
  }
}

/** Where a blob lies in an image layout. */
export function blobPath(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}

export function notInArchive(file: string, name: string, known: readonly string[]): LadingError<'REFERENCE_NOT_FOUND'> {
  const shown = known.slice(0, 20).join(', ');
  const wanted =
    name === '' ? 'several images, and no name says which one' : `no image ${JSON.stringify(name.slice(0, 300))}`;
  const none = known.length === 0 ? 'Its images have no names.' : `It has ${shown}.`;
  return new LadingError(
    'REFERENCE_NOT_FOUND',
    `${file} has ${name === '' && known.length === 0 ? 'no image' : wanted}`,
    {
      details: { reference: name },
      hint: none,
    },
  );
}
