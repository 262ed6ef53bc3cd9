import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import tarStream from 'tar-stream';
import { readIndex, readManifest } from '../../content/read-content.js';
import { LadingError } from '../../errors/errors.js';
import { ioError } from '../../errors/io-error.js';
import type { Descriptor } from '../../oci/descriptor.js';
import { type Digest, isDigest } from '../../oci/digest.js';
import { encodeJson } from '../../oci/json.js';
import { isIndexType, isManifestType, mediaTypes } from '../../oci/media-types.js';
import { familiarName, formatReference, parseReference, referenceIdentifier } from '../../oci/reference.js';
import { syncDirectory } from '../../store/durable.js';
import { ImageLayout } from '../../store/layout.js';
import { mayBeMissing, plainDescriptor, refNameAnnotation } from '../../store/layout-entry.js';
import { blobNotFound } from '../../store/verified-file.js';
import type { Bytes, CallOptions } from '../../stream/bytes.js';
import type { Endpoint } from '../endpoint.js';
import { blobPath, notInArchive } from './archive-source.js';
import { imageNameAnnotation, withoutNames } from './oci-archive.js';

export type ArchiveFormat = 'oci-archive' | 'docker-archive';

/**
 * An archive in the making. Blobs are gathered in a hidden folder beside the file; `close` writes the file from what
 * the tagged images need, in one step and always in the same order, or, when nothing was tagged, nothing. A file that
 * was there before stays until then, and stays altogether when something fails.
 */
export class ArchiveTarget implements Endpoint {
  readonly name: string;
  readonly #file: string;
  readonly #format: ArchiveFormat;
  readonly #staging: string;
  readonly #layout: ImageLayout;
  readonly #tags = new Map<string, Descriptor>();
  #closed: Promise<void> | undefined;

  private constructor(file: string, format: ArchiveFormat, name: string) {
    this.name = name;
    this.#file = file;
    this.#format = format;
    this.#staging = path.join(path.dirname(file), `.${path.basename(file)}.${randomUUID()}`);
    this.#layout = new ImageLayout(path.join(this.#staging, 'layout'));
  }

  static async create(file: string, format: ArchiveFormat, name: string): Promise<ArchiveTarget> {
    const target = new ArchiveTarget(path.resolve(file), format, name);
    await mkdir(target.#staging, { mode: 0o700 }).catch(error => {
      throw ioError(error, file);
    });
    return target;
  }

  async resolve(name: string, { signal }: CallOptions = {}): Promise<Descriptor> {
    signal?.throwIfAborted();
    const tagged = [...this.#tags.values()];
    const found = isDigest(name)
      ? tagged.find(descriptor => descriptor.digest === name)
      : (this.#tags.get(this.#fullName(name)) ?? (name === '' && tagged.length === 1 ? tagged[0] : undefined));
    if (found === undefined) throw notInArchive(this.#file, name, [...this.#tags.keys()]);
    return found;
  }

  has(descriptor: Descriptor, options?: CallOptions): Promise<boolean> {
    return this.#layout.has(descriptor, options);
  }

  open(descriptor: Descriptor, options?: CallOptions): Promise<Readable> {
    return this.#layout.open(descriptor, options);
  }

  put(descriptor: Descriptor, content: Bytes, options?: CallOptions): Promise<void> {
    return this.#layout.put(descriptor, content, options);
  }

  async tag(descriptor: Descriptor, name: string, options?: CallOptions): Promise<void> {
    if (!(await this.has(descriptor, options))) throw blobNotFound(descriptor.digest);
    const { mediaType, digest, size, platform, annotations } = withoutNames(plainDescriptor(descriptor));
    this.#tags.set(this.#fullName(name), {
      mediaType,
      digest,
      size,
      ...(platform === undefined ? {} : { platform }),
      ...(annotations === undefined ? {} : { annotations }),
    });
  }

  close(options: CallOptions = {}): Promise<void> {
    this.#closed ??= this.#finish(options);
    return this.#closed;
  }

  async abort(): Promise<void> {
    this.#tags.clear();
    // What close() fails with was told to whoever called that.
    await this.close().catch(() => {});
  }

  /** Docker's archives know whole names, layouts what comes behind them. A digest is no name. */
  #fullName(name: string): string {
    if (name === '' || isDigest(name)) return '';
    return this.#format === 'docker-archive' ? formatReference(parseReference(name)) : name;
  }

  async #finish({ signal }: CallOptions): Promise<void> {
    try {
      if (this.#tags.size === 0) return;
      const temporary = `${this.#staging}/archive`;
      const documents = await this.#documents({ signal });
      await pipeline(
        this.#pack(await this.#needed({ signal }), documents, signal),
        createWriteStream(temporary, { mode: 0o644, flush: true }),
        { signal },
      );
      await rename(temporary, this.#file);
      await syncDirectory(path.dirname(this.#file));
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw ioError(error, this.#file);
    } finally {
      await rm(this.#staging, { recursive: true, force: true });
    }
  }

  /** What the tagged images consist of, as far as it is here; images must be whole, indexes need not. */
  async #needed(options: CallOptions): Promise<ReadonlyMap<Digest, number>> {
    const needed = new Map<Digest, number>();
    const visit = async (descriptor: Descriptor, optional: boolean): Promise<void> => {
      if (needed.has(descriptor.digest)) return;
      if (!(await this.has(descriptor, options))) {
        if (optional) return;
        throw blobNotFound(descriptor.digest);
      }
      needed.set(descriptor.digest, descriptor.size);
      if (isIndexType(descriptor.mediaType)) {
        const { value } = await readIndex(this, descriptor, options);
        for (const child of value.manifests) await visit(child, true);
      } else if (isManifestType(descriptor.mediaType)) {
        const { value } = await readManifest(this, descriptor, options);
        for (const child of [value.config, ...value.layers]) await visit(child, mayBeMissing(child));
      }
    };
    for (const descriptor of this.#tags.values()) await visit(descriptor, false);
    return needed;
  }

  async #documents(options: CallOptions): Promise<ReadonlyMap<string, Buffer>> {
    const tags = [...this.#tags].sort(([a], [b]) => (a < b ? -1 : 1));
    const index = {
      schemaVersion: 2,
      mediaType: mediaTypes.index,
      manifests: tags.map(([name, descriptor]) => {
        const annotations = { ...descriptor.annotations, ...this.#annotations(name) };
        return { ...descriptor, annotations: Object.keys(annotations).length === 0 ? undefined : annotations };
      }),
    };
    const documents = new Map([
      ['index.json', Buffer.from(encodeJson(index))],
      ['oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}')],
    ]);
    if (this.#format === 'docker-archive') {
      const saved = [];
      for (const [name, descriptor] of tags) saved.push(await this.#savedImage(name, descriptor, options));
      documents.set('manifest.json', Buffer.from(encodeJson(mergeTags(saved))));
    }
    return documents;
  }

  #annotations(name: string): Readonly<Record<string, string>> | undefined {
    if (name === '') return undefined;
    // A whole name is written the way containerd and BuildKit do; a tag stands for itself.
    if (this.#format === 'oci-archive' && !name.includes('/')) return { [refNameAnnotation]: name };
    return { [imageNameAnnotation]: name, [refNameAnnotation]: referenceIdentifier(parseReference(name)) };
  }

  async #savedImage(name: string, descriptor: Descriptor, options: CallOptions): Promise<SavedImage> {
    const { value } = await readManifest(this, await this.#onlyImage(descriptor, options), options);
    return {
      Config: blobPath(value.config.digest),
      RepoTags: name === '' ? [] : [familiarName(parseReference(name))],
      Layers: value.layers.map(layer => blobPath(layer.digest)),
    };
  }

  /** Docker's own part of the format has no platforms; of an index it can say one image only. */
  async #onlyImage(descriptor: Descriptor, options: CallOptions): Promise<Descriptor> {
    if (!isIndexType(descriptor.mediaType)) return descriptor;
    const images: Descriptor[] = [];
    for (const child of (await readIndex(this, descriptor, options)).value.manifests) {
      const image = isManifestType(child.mediaType) && child.platform?.os !== 'unknown';
      if (image && (await this.has(child, options))) images.push(child);
    }
    if (images.length === 1) return images[0]!;
    throw new LadingError('UNSUPPORTED', `a Docker archive cannot hold an image for ${images.length} platforms`, {
      details: { feature: 'Docker archives of several platforms' },
      hint: 'Write an OCI archive (save --format oci, oci-archive:FILE), or choose one platform (copy --platform).',
    });
  }

  #pack(blobs: ReadonlyMap<Digest, number>, documents: ReadonlyMap<string, Buffer>, signal?: AbortSignal): Readable {
    const pack = tarStream.pack();
    this.#fill(pack, blobs, documents, signal).catch(error => pack.destroy(error));
    return pack as unknown as Readable;
  }

  async #fill(
    pack: tarStream.Pack,
    blobs: ReadonlyMap<Digest, number>,
    documents: ReadonlyMap<string, Buffer>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const algorithms = new Set([...blobs.keys()].map(digest => blobPath(digest).split('/')[1]!));
    const folders = ['blobs/', ...[...algorithms].map(algorithm => `blobs/${algorithm}/`)];
    const byPath = new Map([...blobs].map(([digest, size]) => [blobPath(digest), { digest, size }]));
    // Names of these few forms sort the same by characters and by bytes.
    for (const name of [...folders, ...byPath.keys(), ...documents.keys()].sort()) {
      const document = documents.get(name);
      const blob = byPath.get(name);
      const header = { name, mtime: new Date(0), uid: 0, gid: 0 };
      if (document !== undefined) {
        pack.entry({ ...header, mode: 0o644 }, document);
      } else if (blob !== undefined) {
        const entry = pack.entry({ ...header, mode: 0o444, size: blob.size });
        const descriptor = { mediaType: mediaTypes.layerTar, ...blob };
        await pipeline(await this.#layout.open(descriptor, { signal }), entry as unknown as NodeJS.WritableStream);
      } else {
        pack.entry({ ...header, mode: 0o755, type: 'directory' });
      }
    }
    pack.finalize();
  }
}

interface SavedImage {
  readonly Config: string;
  readonly RepoTags: readonly string[];
  readonly Layers: readonly string[];
}

/** An image with several names is one image. */
function mergeTags(saved: readonly SavedImage[]): readonly SavedImage[] {
  const merged = new Map<string, SavedImage>();
  for (const image of saved) {
    const key = [image.Config, ...image.Layers].join('\n');
    const before = merged.get(key)?.RepoTags ?? [];
    merged.set(key, { ...image, RepoTags: [...before, ...image.RepoTags] });
  }
  return [...merged.values()];
}
