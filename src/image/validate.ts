import type { ContentSource } from '../content/content.js';
import { readIndex, readManifest } from '../content/read-content.js';
import { isAttestation } from '../content/select-platform.js';
import { maxContentDepth } from '../content/walk.js';
import { type ErrorCode, isLadingError, LadingError } from '../errors/errors.js';
import { indexLayer } from '../layer/index-layer.js';
import type { Descriptor } from '../oci/descriptor.js';
import { compressionOf, isForeignLayerType, isIndexType, isManifestType } from '../oci/media-types.js';
import { formatPlatformFull, normalizePlatform } from '../oci/platform.js';
import type { Bytes, CallOptions } from '../stream/bytes.js';
import { decompress, sniffCompression } from '../stream/compression.js';
import { type Image, openImage } from './image.js';

/**
 * Reads every byte of an image, or of all images of an index, and holds it against everything that is said of it:
 * schemas, digests and sizes of all blobs, compression of the layers, diffIds, tar entries, number of history entries,
 * platforms. Attestations of an index are only hashed.
 * @throws LadingError IMAGE_INVALID with every problem found
 */
export async function validateImage(
  source: Pick<ContentSource, 'has' | 'open'>,
  descriptor: Descriptor,
  options: CallOptions = {},
): Promise<void> {
  const problems: string[] = [];
  await new Validation(source, problems, options).node(descriptor, 0);
  if (problems.length === 0) return;
  const [first, ...more] = problems;
  const others = more.length === 0 ? '' : ` (and ${more.length} more)`;
  throw new LadingError('IMAGE_INVALID', `${descriptor.digest} is not a valid image: ${first}${others}`, {
    details: { digest: descriptor.digest, problems },
    hint: 'Fetch or build the image again; if its source has it like this, its source is wrong.',
  });
}

class Validation {
  readonly #source: Pick<ContentSource, 'has' | 'open'>;
  readonly #problems: string[];
  readonly #options: CallOptions;
  /** Layers are shared between platforms: each is read once. The value is its diffId. */
  readonly #layers = new Map<string, Promise<string | undefined>>();
  readonly #nodes = new Set<string>();

  constructor(source: Pick<ContentSource, 'has' | 'open'>, problems: string[], options: CallOptions) {
    this.#source = source;
    this.#problems = problems;
    this.#options = options;
  }

  async node(descriptor: Descriptor, depth: number): Promise<void> {
    if (this.#nodes.has(descriptor.digest)) return;
    this.#nodes.add(descriptor.digest);
    if (isIndexType(descriptor.mediaType)) await this.#index(descriptor, depth);
    else if (isManifestType(descriptor.mediaType)) await this.#image(descriptor);
    else this.#problems.push(`${descriptor.digest}: ${descriptor.mediaType} is neither a manifest nor an index`);
  }

  async #index(descriptor: Descriptor, depth: number): Promise<void> {
    const index = await this.#try(descriptor, () => readIndex(this.#source, descriptor, this.#options));
    if (index === undefined) return;
    if (depth >= maxContentDepth) {
      this.#problems.push(`${descriptor.digest}: indexes are nested deeper than ${maxContentDepth}`);
      return;
    }
    for (const manifest of index.value.manifests) {
      if (isAttestation(manifest)) await this.#try(manifest, () => this.#attestation(manifest));
      else await this.node(manifest, depth + 1);
    }
  }

  async #image(descriptor: Descriptor): Promise<void> {
    const image = await this.#try(descriptor, () => openImage(this.#source, descriptor, this.#options));
    if (image === undefined) return;
    this.#checkPlatform(image, descriptor);
    this.#checkHistory(image);
    this.#checkFamily(image);
    for (const [i, layer] of image.layers.entries()) {
      const actual = await this.#layer(layer.descriptor);
      if (actual === undefined || actual === layer.diffId) continue;
      const problem = `its tar hashes to ${actual}, diff_ids says ${layer.diffId}`;
      this.#problems.push(`layer ${i + 1} (${layer.descriptor.digest}): ${problem}`);
    }
  }

  #checkPlatform(image: Image, descriptor: Descriptor): void {
    const { os, architecture, variant } = image.config;
    const where = `config of ${descriptor.digest}`;
    if (os === '' || architecture === '') this.#problems.push(`${where}: it names no platform`);
    if (descriptor.platform === undefined) return;
    const said = normalizePlatform(descriptor.platform);
    const own = normalizePlatform({ os, architecture, variant });
    // Most configs leave the variant out, so only two that contradict each other are wrong.
    const variants = variant === undefined || descriptor.platform.variant === undefined || said.variant === own.variant;
    if (said.os === own.os && said.architecture === own.architecture && variants) return;
    this.#problems.push(`${where}: it is for ${formatPlatformFull(own)}, the index says ${formatPlatformFull(said)}`);
  }

  #checkHistory(image: Image): void {
    const history = image.config.history ?? [];
    if (history.length === 0) return;
    const entries = history.filter(entry => !entry.empty_layer).length;
    if (entries === image.layers.length) return;
    const problem = `its history has ${entries} entries with a layer, the image ${image.layers.length} layers`;
    this.#problems.push(`config of ${image.descriptor.digest}: ${problem}`);
  }

  /** Clients refuse manifests whose parts come from both families. */
  #checkFamily({ descriptor, manifest, layers }: Image): void {
    const isDocker = (mediaType: string): boolean => mediaType.startsWith('application/vnd.docker.');
    const docker = isDocker(manifest.mediaType);
    const parts = [manifest.config, ...layers.map(layer => layer.descriptor)];
    const odd = parts.find(part => isDocker(part.mediaType) !== docker && !isForeignLayerType(part.mediaType));
    if (odd === undefined) return;
    this.#problems.push(`${descriptor.digest}: ${odd.mediaType} does not belong in a ${manifest.mediaType}`);
  }

  #layer(descriptor: Descriptor): Promise<string | undefined> {
    const key = `${descriptor.mediaType} ${descriptor.digest}`;
    const known = this.#layers.get(key);
    if (known !== undefined) return known;
    const read = this.#try(descriptor, () => this.#readLayer(descriptor));
    this.#layers.set(key, read);
    return read;
  }

  async #readLayer(descriptor: Descriptor): Promise<string | undefined> {
    const mayBeAway = isForeignLayerType(descriptor.mediaType) || (descriptor.urls?.length ?? 0) > 0;
    if (mayBeAway && !(await this.#source.has(descriptor, this.#options))) return undefined;
    const compression = compressionOf(descriptor.mediaType)!;
    const content = await this.#source.open(descriptor, this.#options);
    let wrong: string | undefined;
    async function* watched(): AsyncGenerator<Uint8Array> {
      let first = true;
      for await (const chunk of content as Bytes) {
        if (first) {
          const actual = sniffCompression(chunk);
          if (actual !== compression && chunk.length >= 6) {
            wrong = `its media type ${descriptor.mediaType} says ${compression}, its bytes are ${actual}`;
            return;
          }
        }
        first = false;
        yield chunk;
      }
    }
    try {
      const { diffId } = await indexLayer(
        decompress(watched(), compression, `the layer ${descriptor.digest}`),
        this.#options,
      );
      // Bytes behind the end of the tar are part of the blob: only its end says that they are the right ones.
      for await (const _ of content as Bytes);
      return diffId;
    } catch (error) {
      if (wrong === undefined) throw error;
      this.#problems.push(`${descriptor.digest}: ${wrong}`);
      return undefined;
    } finally {
      content.destroy();
    }
  }

  async #attestation(descriptor: Descriptor): Promise<void> {
    const { config, layers } = (await readManifest(this.#source, descriptor, this.#options)).value;
    for (const part of [config, ...layers]) await this.#try(part, () => this.#hash(part));
  }

  async #hash(descriptor: Descriptor): Promise<void> {
    for await (const _ of (await this.#source.open(descriptor, this.#options)) as Bytes);
  }

  /** Failures of the content are problems; failures of the place where it lies are not the image's. */
  async #try<T>(descriptor: Descriptor, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      if (!isLadingError(error) || !ofContent.has(error.code)) throw error;
      this.#problems.push(`${descriptor.digest}: ${error.message}`);
      return undefined;
    }
  }
}

const ofContent: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'BLOB_NOT_FOUND',
  'DIGEST_MISMATCH',
  'SIZE_MISMATCH',
  'SIZE_EXCEEDED',
  'CORRUPT_STREAM',
  'INVALID_ARCHIVE',
  'INVALID_DOCUMENT',
  'INVALID_VALUE',
  'UNSUPPORTED',
]);
