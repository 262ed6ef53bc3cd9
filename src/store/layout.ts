import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import * as z from 'zod/mini';
import type { BlobFinder, ContentSource, ContentTarget, PartSource } from '../content/content.js';
import { type ReferrerSource, type ReferrersOptions, referrersAmong } from '../content/referrers.js';
import { childrenOf, walk } from '../content/walk.js';
import { isLadingError, LadingError } from '../errors/errors.js';
import { nearest } from '../errors/nearest.js';
import { makeFolder } from '../layer/make-folder.js';
import type { Descriptor } from '../oci/descriptor.js';
import { type Digest, isDigest } from '../oci/digest.js';
import { parseDocument } from '../oci/json.js';
import { isIndexType, isManifestType } from '../oci/media-types.js';
import type { Bytes, CallOptions } from '../stream/bytes.js';
import { BlobDirectory } from './blob-directory.js';
import type { BlobClaim } from './claim.js';
import { replaceFile } from './durable.js';
import { FileLock } from './file-lock.js';
import { IndexFile } from './index-file.js';
import { ifExists, onFile } from './io-error.js';
import { makeEntry, mayBeMissing, plainDescriptor, refNameOf, stampsOf, withoutName } from './layout-entry.js';
import { receiveBlob } from './receive-blob.js';
import { removeTransfer, Transfers } from './transfers.js';
import { blobNotFound, readRegularFile } from './verified-file.js';

/** An image of a layout, and the annotations that its entry in `index.json` has beside the name. */
export interface LayoutRef {
  /** Absent for an image that nobody has named. */
  readonly name?: string | undefined;
  readonly descriptor: Descriptor;
}

/** How the store differs from any other layout. Not for other callers. */
export interface LayoutOptions {
  readonly lock?: FileLock | undefined;
  readonly temporary?: (() => Promise<string>) | undefined;
  readonly claim?: BlobClaim | undefined;
  /** Annotations for the entry of an image that is new in the layout. */
  readonly stamp?: (() => Readonly<Record<string, string>>) | undefined;
  /** A layout that is not there is an empty one. */
  readonly mayBeAbsent?: boolean | undefined;
  /** An image whose name goes to another one stays, without a name. */
  readonly keepReplaced?: boolean | undefined;
}

const layoutFileSchema = z.looseObject({ imageLayoutVersion: z.string().check(z.regex(/^1\./)) });
const day = 24 * 60 * 60 * 1000;

/**
 * A folder in the OCI image layout (OCI image-spec, image-layout.md), to read from and to write to; made on the first
 * write. Blobs are complete from the moment they have their name, and `index.json` is replaced in one step under a
 * lock, so any number of processes may use one layout. Reading takes no lock, and what is read is verified.
 */
export class ImageLayout implements ContentSource, ContentTarget, PartSource, BlobFinder, ReferrerSource {
  readonly root: string;
  readonly blobs: BlobDirectory;
  readonly #index: IndexFile;
  readonly #transfers: Transfers;
  readonly #options: LayoutOptions;
  #ready: Promise<void> | undefined;

  constructor(root: string, options: LayoutOptions = {}) {
    this.root = root;
    this.#options = options;
    const temporary = options.temporary ?? (async () => join(root, `.lading-${randomUUID()}.tmp`));
    this.blobs = new BlobDirectory(root, temporary, options.claim ?? (async () => true));
    this.#transfers = new Transfers(name => join(root, `.lading-${name}.part`), temporary);
    this.#index = new IndexFile(root, options.lock ?? new FileLock(join(root, '.lading-index.lock')), temporary);
  }

  /** Every image, in the order of `index.json`. @throws LadingError PATH_NOT_FOUND, INVALID_DOCUMENT */
  async refs(): Promise<LayoutRef[]> {
    if (!(await this.#checkLayout())) return [];
    return (await this.#index.read()).map(entry => {
      const name = refNameOf(entry);
      return { ...(name === undefined ? {} : { name }), descriptor: entry };
    });
  }

  /**
   * By name, by digest (of an image, or of a manifest inside one), or with the empty string the only image there is.
   * @throws LadingError REFERENCE_NOT_FOUND
   */
  async resolve(name: string, options: CallOptions = {}): Promise<Descriptor> {
    options.signal?.throwIfAborted();
    const refs = await this.refs();
    const found = refs.find(ref => ref.name === name && name !== '');
    if (found) return plainDescriptor(found.descriptor);
    if (name === '') {
      const digests = new Set(refs.map(ref => ref.descriptor.digest));
      if (digests.size === 1) return plainDescriptor(refs[0]!.descriptor);
    } else if (isDigest(name)) {
      const descriptor = await this.#findDigest(refs, name, options);
      if (descriptor) return descriptor;
    }
    throw this.#notFound(name, refs);
  }

  /** A manifest or an index counts as there when everything that it needs is there, so that a copy may skip it whole. */
  async has(descriptor: Descriptor, options: CallOptions = {}): Promise<boolean> {
    options.signal?.throwIfAborted();
    if (!(await this.blobs.has(descriptor))) return false;
    if (!isIndexType(descriptor.mediaType) && !isManifestType(descriptor.mediaType)) return true;
    try {
      for await (const { children } of walk(this, descriptor, options)) {
        // Side by side: there may be hundreds, and each is a few calls of the system one after the other.
        const there = await Promise.all(children.map(child => this.blobs.has(child)));
        if (children.some((child, i) => !there[i] && !mayBeMissing(child))) return false;
      }
      return true;
    } catch (error) {
      if (options.signal?.aborted) throw options.signal.reason;
      // A manifest that cannot be read is not there in any useful way; whoever asks will send it again.
      if (isLadingError(error) && error.code !== 'IO') return false;
      throw error;
    }
  }

  async findBlob(digest: Digest): Promise<Descriptor> {
    const file = await this.blobs.stat(digest);
    if (file === undefined) throw blobNotFound(digest);
    return { mediaType: 'application/octet-stream', digest, size: file.size };
  }

  /** Among what is listed, with a name or without. */
  async *referrers(subject: Digest, options?: ReferrersOptions): AsyncGenerator<Descriptor> {
    const listed = (await this.refs()).map(({ descriptor }) => descriptor);
    yield* referrersAmong(this, listed, subject, options);
  }

  async open(descriptor: Descriptor, options?: CallOptions): Promise<Readable> {
    return this.blobs.open(descriptor, options);
  }

  async openFrom(descriptor: Descriptor, offset: number, options?: CallOptions): Promise<Readable> {
    return this.blobs.openFrom(descriptor, offset, options);
  }

  async put(descriptor: Descriptor, content: Bytes, options: CallOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    await this.prepare();
    await receiveBlob(this.blobs, this.#transfers, descriptor, content, put => put(options), options);
  }

  /** @throws LadingError BLOB_NOT_FOUND when the image is not here whole */
  async tag(descriptor: Descriptor, name: string, options: CallOptions = {}): Promise<void> {
    if (name === '' || name.length > 1024 || /[\u0000-\u001f\u007f]/.test(name)) throw badName(name);
    await this.#enter(descriptor, name, options);
  }

  /** Lists an image without giving it a name; nothing changes when it is listed already. */
  async keep(descriptor: Descriptor, options: CallOptions = {}): Promise<void> {
    await this.#enter(descriptor, undefined, options);
  }

  /**
   * Takes a name away, or with a digest all names of that image; an image without any other name is no longer listed.
   * Blobs stay.
   * @throws LadingError REFERENCE_NOT_FOUND
   */
  async untag(nameOrDigest: string, options: CallOptions = {}): Promise<void> {
    const refs = await this.refs();
    await this.#index.update(entries => {
      const byName = entries.filter(entry => refNameOf(entry) !== nameOrDigest);
      if (byName.length < entries.length) return byName;
      const byDigest = entries.filter(entry => entry.digest !== nameOrDigest);
      if (byDigest.length < entries.length) return byDigest;
      throw this.#notFound(nameOrDigest, refs);
    }, options);
  }

  /** Takes the nameless entries of these images away. */
  async dropUnnamed(digests: ReadonlySet<Digest>, options?: CallOptions): Promise<void> {
    await this.#index.update(
      entries => entries.filter(entry => refNameOf(entry) !== undefined || !digests.has(entry.digest)),
      options,
    );
  }

  /** Makes the layout if it is not there yet. @throws LadingError PATH_INVALID for a folder that holds something else */
  async prepare(): Promise<void> {
    this.#ready ??= this.#create().catch(error => {
      this.#ready = undefined;
      throw error;
    });
    await this.#ready;
  }

  async #create(): Promise<void> {
    await onFile(this.root, async () => {
      makeFolder(this.root);
      const names = readdirSync(this.root);
      const path = join(this.root, 'oci-layout');
      if (names.includes('oci-layout')) await this.#checkLayout();
      else {
        if (
          this.#options.temporary === undefined &&
          names.some(name => !/^(?:blobs|index\.json|\.lading-.*)$/.test(name))
        ) {
          throw notALayout(this.root);
        }
        const temporary = join(this.root, `.lading-${randomUUID()}.tmp`);
        await replaceFile(path, Buffer.from('{"imageLayoutVersion":"1.0.0"}'), { temporary, durable: true });
      }
      mkdirSync(join(this.root, 'blobs', 'sha256'), { recursive: true });
      // A layout without index.json is none to other tools.
      if (!names.includes('index.json')) await this.#index.update(entries => [...entries]);
      await this.#sweepTemporaries(names);
    });
  }

  /** What processes left that were killed at work, and parts of blobs that nobody went on with within a day. */
  async #sweepTemporaries(names: readonly string[]): Promise<void> {
    for (const name of names.filter(name => /^\.lading-.*\.(?:tmp|part)$/.test(name))) {
      const path = join(this.root, name);
      const stats = await ifExists(path, () => stat(path));
      if (stats !== undefined && Date.now() - stats.mtimeMs > day) await removeTransfer(path);
    }
  }

  async #checkLayout(): Promise<boolean> {
    const path = join(this.root, 'oci-layout');
    const bytes = await readRegularFile(path, 64 * 1024);
    if (bytes === undefined) {
      if (this.#options.mayBeAbsent) return false;
      throw new LadingError('PATH_NOT_FOUND', `there is no image layout at ${this.root}`, {
        details: { path },
        hint: 'An image layout is a folder with the files oci-layout and index.json.',
      });
    }
    parseDocument(bytes, layoutFileSchema, 'oci-layout file');
    return true;
  }

  async #enter(descriptor: Descriptor, name: string | undefined, options: CallOptions): Promise<void> {
    await this.prepare();
    if (!(await this.has(descriptor, options))) throw blobNotFound(await this.#missing(descriptor, options));
    await this.blobs.flush();
    const { stamp, keepReplaced } = this.#options;
    await this.#index.update(entries => {
      const known = entries.find(entry => entry.digest === descriptor.digest);
      if (name === undefined && known !== undefined) return entries;
      const stamps = known ? stampsOf(known) : (stamp?.() ?? {});
      const entry = makeEntry(descriptor, name, stamps);
      const rest = entries.filter(other => {
        const otherName = refNameOf(other);
        return otherName === undefined ? other.digest !== descriptor.digest : otherName !== name;
      });
      const replaced = keepReplaced
        ? entries.find(other => name !== undefined && refNameOf(other) === name)
        : undefined;
      if (replaced && replaced.digest !== descriptor.digest && !rest.some(other => other.digest === replaced.digest)) {
        rest.push(withoutName(replaced));
      }
      return [...rest, entry];
    }, options);
  }

  /** Which blob an image lacks; its own digest when it is gone itself. */
  async #missing(root: Descriptor, options: CallOptions): Promise<Digest> {
    if (!(await this.blobs.has(root))) return root.digest;
    for await (const { children } of walk(this, root, options)) {
      for (const child of children) if (!(await this.blobs.has(child)) && !mayBeMissing(child)) return child.digest;
    }
    return root.digest;
  }

  async #findDigest(refs: readonly LayoutRef[], digest: Digest, options: CallOptions): Promise<Descriptor | undefined> {
    const listed = refs.find(ref => ref.descriptor.digest === digest);
    if (listed) return plainDescriptor(listed.descriptor);
    for (const { descriptor } of refs.filter(ref => isIndexType(ref.descriptor.mediaType))) {
      const children = await childrenOf(this, descriptor, options).catch(() => []);
      const found = children.find(child => child.digest === digest);
      if (found) return found;
    }
    return undefined;
  }

  #notFound(name: string, refs: readonly LayoutRef[]): LadingError<'REFERENCE_NOT_FOUND'> {
    const names = refs.flatMap(ref => (ref.name === undefined ? [] : [ref.name]));
    const near = nearest(name, names);
    const message = name === '' ? `${this.root} does not hold exactly one image` : `there is no image ${name} here`;
    let hint = names.length > 0 ? `There is: ${names.slice(0, 10).join(', ')}.` : 'There is no named image at all.';
    if (near !== undefined) hint = `Is it ${near}?`;
    return new LadingError('REFERENCE_NOT_FOUND', message, { details: { reference: name }, hint });
  }
}

/** A layout at this path; nothing is read or made yet. */
export function openLayout(root: string): ImageLayout {
  return new ImageLayout(root);
}

function badName(name: string): LadingError<'INVALID_VALUE'> {
  return new LadingError('INVALID_VALUE', `not a name for an image: ${JSON.stringify(name.slice(0, 100))}`, {
    details: { what: 'image name', value: name.slice(0, 100) },
  });
}

function notALayout(root: string): LadingError<'PATH_INVALID'> {
  return new LadingError('PATH_INVALID', `${root} is not empty and is no image layout`, {
    details: { path: root, problem: 'not an image layout' },
    hint: 'Give a folder that is an image layout, is empty, or does not exist.',
  });
}
