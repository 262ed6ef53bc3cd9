import * as z from 'zod/mini';
import { readIndex, readManifest } from '../../content/read-content.js';
import { LadingError } from '../../errors/errors.js';
import { invalidArchive } from '../../layer/invalid-archive.js';
import { configSizeLimit, parseConfig } from '../../oci/config.js';
import type { Descriptor } from '../../oci/descriptor.js';
import { type Digest, digestHex, digestOf, isDigest } from '../../oci/digest.js';
import { orNone } from '../../oci/empty.js';
import { parseDocument } from '../../oci/json.js';
import { encodeManifest } from '../../oci/manifest.js';
import { isIndexType, isManifestType, layerMediaType, mediaTypes } from '../../oci/media-types.js';
import { formatReference, parseReference } from '../../oci/reference.js';
import type { CallOptions } from '../../stream/bytes.js';
import { sniffCompression } from '../../stream/compression.js';
import { Digester, digestMismatch } from '../../stream/verified.js';
import { type ArchivedImage, ArchiveSource, notInArchive } from './archive-source.js';
import { fullNameOf, readLayoutIndex, withoutNames } from './oci-archive.js';
import { type OpenTarOptions, TarFile, type TarMember } from './tar-file.js';

const savedSchema = z.array(
  z.looseObject({
    Config: z.string().check(z.minLength(1)),
    RepoTags: orNone(z.string()),
    Layers: orNone(z.string().check(z.minLength(1))),
  }),
);

type SavedImage = z.infer<typeof savedSchema>[number];

const manifestFileLimit = 16 * 1024 * 1024;

/**
 * Reads what `docker save` and `podman save` write. Newer archives hold an image layout, whose manifest is then the
 * image's; for older ones a manifest is made from the layers as they lie in the archive, so that the same archive is
 * always the same image. `name`: a reference, a digest, or empty for the only image.
 */
export async function openDockerArchive(path: string, name: string, options: OpenTarOptions): Promise<ArchiveSource> {
  return readDockerArchive(await TarFile.open(path, options), name, options);
}

/** As `openDockerArchive`; takes the tar file over, also when it fails. */
export async function readDockerArchive(tar: TarFile, name: string, options: CallOptions): Promise<ArchiveSource> {
  try {
    const bytes = await tar.readSmall('manifest.json', manifestFileLimit, options);
    if (bytes === undefined) {
      throw tar.member('repositories') === undefined
        ? invalidArchive('no manifest.json: it is not a Docker archive')
        : new LadingError('UNSUPPORTED', `${tar.title} was saved by a Docker older than 1.10`, {
            details: { feature: 'archives without manifest.json' },
            hint: 'Load it into Docker and save it again.',
          });
    }
    const images = parseDocument(bytes, savedSchema, 'manifest.json of a Docker archive');
    return new DockerArchive(tar, name, images, (await readLayoutIndex(tar, options)) ?? []);
  } catch (error) {
    await tar.close();
    throw error;
  }
}

class DockerArchive extends ArchiveSource {
  readonly #images: readonly SavedImage[];
  readonly #layout: readonly Descriptor[];
  /** One image has one descriptor, and a layer that several images share is read once. */
  readonly #described = new Map<SavedImage, Promise<Descriptor>>();
  readonly #layers = new Map<number, Promise<Descriptor>>();

  constructor(tar: TarFile, name: string, images: readonly SavedImage[], layout: readonly Descriptor[]) {
    super(tar, name);
    this.#images = images;
    this.#layout = layout;
  }

  async resolve(name: string, options: CallOptions = {}): Promise<Descriptor> {
    options.signal?.throwIfAborted();
    if (isDigest(name)) {
      for (const image of this.#images) {
        const descriptor = await this.#describe(image, options);
        if (descriptor.digest === name) return descriptor;
      }
      throw this.#unknown(name);
    }
    const wanted = name === '' ? undefined : formatReference(parseReference(name));
    const found = this.#images.find(image =>
      wanted === undefined ? this.#images.length === 1 : image.RepoTags.some(tag => fullName(tag) === wanted),
    );
    if (found === undefined) throw this.#unknown(name);
    return this.#describe(found, options);
  }

  async images(options: CallOptions = {}): Promise<ArchivedImage[]> {
    options.signal?.throwIfAborted();
    const images: ArchivedImage[] = [];
    for (const image of this.#images) {
      const descriptor = await this.#describe(image, options);
      const names = image.RepoTags.length === 0 ? [undefined] : image.RepoTags.map(fullName);
      images.push(...names.map(name => ({ name, descriptor })));
    }
    return images;
  }

  #unknown(name: string): LadingError {
    return notInArchive(
      this.tar.title,
      name,
      this.#images.flatMap(image => image.RepoTags),
    );
  }

  async #describe(image: SavedImage, options: CallOptions): Promise<Descriptor> {
    let descriptor = this.#described.get(image);
    if (descriptor === undefined) {
      descriptor = this.#findOrMake(image, options);
      this.#described.set(image, descriptor);
      descriptor.catch(() => this.#described.delete(image));
    }
    return descriptor;
  }

  async #findOrMake(image: SavedImage, options: CallOptions): Promise<Descriptor> {
    const config = await this.tar.readSmall(image.Config, configSizeLimit, options);
    if (config === undefined) throw invalidArchive('an image without its config', image.Config);
    const digest = digestOf(config);
    const stated = /([0-9a-f]{64})(?:\.json)?$/.exec(image.Config)?.[1];
    if (stated !== undefined && stated !== digestHex(digest))
      throw digestMismatch(`sha256:${stated}` as Digest, digest);
    return (await this.#inLayout(image, digest, options)) ?? this.#make(image, config, digest, options);
  }

  /** The image's manifest in the layout: of those under its name, or else of all, the one with the same config. */
  async #inLayout(image: SavedImage, config: Digest, options: CallOptions): Promise<Descriptor | undefined> {
    const names = new Set(image.RepoTags.map(fullName));
    const named = this.#layout.filter(entry => names.has(fullNameOf(entry) ?? ''));
    for (const entry of [...named, ...this.#layout]) {
      const found = await this.#withConfig(entry, config, options, 0);
      if (found !== undefined) return withoutNames(found);
    }
    return undefined;
  }

  async #withConfig(
    entry: Descriptor,
    config: Digest,
    options: CallOptions,
    depth: number,
  ): Promise<Descriptor | undefined> {
    if (depth > 3 || !(await this.has(entry, options))) return undefined;
    if (isManifestType(entry.mediaType)) {
      const { value } = await readManifest(this, entry, options);
      const here = await Promise.all(value.layers.map(layer => this.has(layer, options)));
      return value.config.digest === config && here.every(Boolean) ? entry : undefined;
    }
    if (!isIndexType(entry.mediaType)) return undefined;
    for (const child of (await readIndex(this, entry, options)).value.manifests) {
      const found = await this.#withConfig(child, config, options, depth + 1);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  async #make(image: SavedImage, config: Buffer, digest: Digest, options: CallOptions): Promise<Descriptor> {
    const { diff_ids } = parseConfig(config, digest).rootfs;
    if (diff_ids.length !== image.Layers.length) {
      throw invalidArchive(`${image.Layers.length} layers where the config has ${diff_ids.length}`, image.Config);
    }
    const layers: Descriptor[] = [];
    for (const [i, name] of image.Layers.entries()) {
      const member = this.tar.member(name);
      if (member === undefined) throw invalidArchive('an image without one of its layers', name);
      const layer = await this.#layer(member, options);
      if (layer.mediaType === mediaTypes.layerTar && layer.digest !== diff_ids[i]) {
        throw digestMismatch(diff_ids[i]!, layer.digest);
      }
      layers.push(layer);
    }
    const manifest = Buffer.from(
      encodeManifest({
        schemaVersion: 2,
        mediaType: mediaTypes.manifest,
        config: { mediaType: mediaTypes.config, digest, size: config.length },
        layers,
      }),
    );
    const descriptor = { mediaType: mediaTypes.manifest, digest: digestOf(manifest), size: manifest.length };
    this.placed.set(digest, config);
    this.placed.set(descriptor.digest, manifest);
    return descriptor;
  }

  #layer(member: TarMember, options: CallOptions): Promise<Descriptor> {
    let layer = this.#layers.get(member.offset);
    if (layer === undefined) {
      layer = this.#readLayer(member, options);
      this.#layers.set(member.offset, layer);
      layer.catch(() => this.#layers.delete(member.offset));
    }
    return layer;
  }

  async #readLayer(member: TarMember, options: CallOptions): Promise<Descriptor> {
    const digester = new Digester();
    let mediaType: string | undefined;
    for await (const chunk of this.tar.read(member, options) as AsyncIterable<Buffer>) {
      mediaType ??= mediaTypeOf(chunk, member);
      digester.update(chunk);
    }
    const digest = digester.digest();
    this.placed.set(digest, member);
    return { mediaType: mediaType ?? mediaTypes.layerTar, digest, size: member.size };
  }
}

function mediaTypeOf(head: Buffer, member: TarMember): string {
  const compression = sniffCompression(head);
  if (compression === 'bzip2' || compression === 'xz') {
    throw new LadingError('UNSUPPORTED', `the layer ${member.name} is compressed with ${compression}`, {
      details: { feature: `${compression} layers` },
      hint: 'Load the archive into Docker and save it again.',
    });
  }
  return layerMediaType(compression);
}

/** The whole form of a name in an archive; names that are none match nothing. */
function fullName(tag: string): string {
  try {
    return formatReference(parseReference(tag));
  } catch {
    return '';
  }
}
