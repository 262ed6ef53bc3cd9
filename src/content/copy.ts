import { isLadingError } from '../errors/errors.js';
import type { Descriptor } from '../oci/descriptor.js';
import { digestOf } from '../oci/digest.js';
import { encodeManifest, type ImageIndex } from '../oci/manifest.js';
import { isForeignLayerType, isIndexType, isManifestType } from '../oci/media-types.js';
import type { Platform } from '../oci/platform.js';
import { type CallOptions, inOnePiece } from '../stream/bytes.js';
import { type Rereadable, rereadable } from '../stream/rereadable.js';
import type { BlobMounter, ContentSource, ContentTarget, DoubtfulSource, MountOrigin } from './content.js';
import { Limiter } from './limiter.js';
import { contentOf } from './open-content.js';
import { readIndex, readManifest } from './read-content.js';
import { rehearsed } from './rehearsed.js';
import { selectPlatform } from './select-platform.js';
import { graphTooLarge, maxContentDepth, maxContentNodes, nodeKey } from './walk.js';

/** What a copy tells while it runs. `bytes` counts up to `descriptor.size`. */
export type CopyEvent =
  | { readonly type: 'blob-started'; readonly descriptor: Descriptor }
  | { readonly type: 'blob-progress'; readonly descriptor: Descriptor; readonly bytes: number }
  | { readonly type: 'blob-done'; readonly descriptor: Descriptor }
  | { readonly type: 'blob-skipped'; readonly descriptor: Descriptor; readonly reason: 'exists' | 'foreign' }
  | { readonly type: 'blob-mounted'; readonly descriptor: Descriptor; readonly from: string }
  /** `existed`: the target had it already, with all that belongs to it. */
  | { readonly type: 'manifest-done'; readonly descriptor: Descriptor; readonly existed: boolean };

export interface CopyOptions extends CallOptions {
  /** Given to the image in the target, as the very last act. */
  readonly name?: string | undefined;
  /**
   * What to take of an index. `'all'` (the default) is the index as it stands. One platform is that platform's manifest
   * alone; several are a new index of those.
   */
  readonly platforms?: 'all' | readonly Platform[] | undefined;
  /** Blobs in flight at a time; 8 by default. One whose last byte has come, and that is being written out, is none. */
  readonly concurrency?: number | undefined;
  /** Repositories of the target's registry that may have a blob, besides the source when it is one of them. */
  readonly mountFrom?: ((descriptor: Descriptor, registry: string) => Promise<readonly string[]>) | undefined;
  /**
   * Layers whose licence keeps them out of other registries are left to the addresses in their descriptor: no registry
   * is sent any, and elsewhere they are left out where the source lacks them. `true` copies them like any other.
   */
  readonly foreignLayers?: boolean | undefined;
  /** Only tell, by the same events, what would be done. */
  readonly dryRun?: boolean | undefined;
  readonly onEvent?: ((event: CopyEvent) => void) | undefined;
}

/** More than this is no longer faster than sending the bytes. */
const mountAttempts = 3;
/** Blobs whose bytes have all come are written out meanwhile: so many for each that is on its way. */
const landingPerTransfer = 4;

/**
 * Copies an image or an index with everything it needs: leaves first, what the target has is not sent, one blob is sent
 * once, the name comes last. So a target never shows an image that is not whole, and a copy that failed can simply be
 * run again. On the first failure what else is under way is cancelled and waited for.
 * @returns the descriptor of what was copied; another than the one given when `platforms` chose from an index
 * @throws LadingError PLATFORM_NOT_FOUND, INVALID_DOCUMENT, and whatever source and target throw
 */
export async function copyImage(
  source: ContentSource,
  descriptor: Descriptor,
  target: ContentTarget,
  options: CopyOptions = {},
): Promise<Descriptor> {
  options.signal?.throwIfAborted();
  const to = options.dryRun ? rehearsed(target) : target;
  const copied = await new Copy(source, to, descriptor, options).run();
  if (options.name !== undefined) await to.tag(copied, options.name, { signal: options.signal });
  return copied;
}

class Copy {
  readonly #source: ContentSource;
  readonly #target: ContentTarget;
  readonly #root: Descriptor;
  readonly #options: CopyOptions;
  readonly #limiter: Limiter;
  /** Blobs that are on their way or have come and are not safe yet: the next one does not wait for the disk. */
  readonly #unfinished: Limiter;
  /** To ask whether something is there costs little, and must not wait behind what is being sent. */
  readonly #looks: Limiter;
  /** Ends the siblings of what failed. */
  readonly #failure = new AbortController();
  readonly #call: { readonly signal: AbortSignal };
  readonly #nodes = new Map<string, Promise<void>>();

  constructor(source: ContentSource, target: ContentTarget, root: Descriptor, options: CopyOptions) {
    this.#source = source;
    this.#target = target;
    this.#root = root;
    this.#options = options;
    const concurrency = options.concurrency ?? 8;
    this.#limiter = new Limiter(concurrency);
    this.#unfinished = new Limiter(concurrency * (1 + landingPerTransfer));
    this.#looks = new Limiter(concurrency);
    const signals = options.signal ? [options.signal, this.#failure.signal] : [this.#failure.signal];
    this.#call = { signal: AbortSignal.any(signals) };
  }

  async run(): Promise<Descriptor> {
    const { platforms = 'all' } = this.#options;
    if (platforms === 'all' || !isIndexType(this.#root.mediaType)) {
      await this.#finish(this.#node(this.#root, 0));
      return this.#root;
    }
    const { value: index } = await readIndex(this.#source, this.#root, this.#call);
    const chosen = [...new Set(platforms.map(platform => selectPlatform(index, platform)))];
    if (chosen.length === 1) {
      await this.#finish(this.#node(chosen[0]!, 0));
      return chosen[0]!;
    }
    const bytes = encodeManifest(subsetOf(index, chosen));
    const subset: Descriptor = { mediaType: index.mediaType, digest: digestOf(bytes), size: bytes.length };
    await this.#finish(Promise.all(chosen.map(child => this.#node(child, 1))));
    await this.#put(subset, bytes);
    return subset;
  }

  /** The first failure is the one to tell; the others are its consequence, but all must have ended. */
  async #finish(work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#fail(error);
      await Promise.allSettled(this.#nodes.values());
      if (this.#options.signal?.aborted) throw this.#options.signal.reason;
      throw this.#failure.signal.reason;
    }
  }

  #fail(error: unknown): void {
    if (!this.#failure.signal.aborted) this.#failure.abort(error);
  }

  #node(descriptor: Descriptor, depth: number): Promise<void> {
    const key = nodeKey(descriptor);
    const known = this.#nodes.get(key);
    if (known !== undefined) return known;
    const document = isIndexType(descriptor.mediaType) || isManifestType(descriptor.mediaType);
    if (this.#nodes.size >= maxContentNodes || (document && depth > maxContentDepth)) {
      return Promise.reject(graphTooLarge(this.#root));
    }
    const work = (document ? this.#copyDocument(descriptor, depth) : this.#copyBlob(descriptor)).catch(error => {
      this.#fail(error);
      throw error;
    });
    this.#nodes.set(key, work);
    return work;
  }

  async #copyDocument(descriptor: Descriptor, depth: number): Promise<void> {
    const { existed, document } = await this.#looks.run(async () => {
      this.#call.signal.throwIfAborted();
      const existed = await this.#target.has(descriptor, this.#call);
      // Registries keep manifests of blobs that they have lost. Other places say that they have one when they have all of it.
      const whole = existed && mountOriginOf(this.#target) === undefined;
      return { existed, document: whole ? undefined : await this.#read(descriptor) };
    });
    await Promise.all((document?.children ?? []).map(child => this.#node(child, depth + 1)));
    if (!existed) return this.#put(descriptor, document!.bytes);
    this.#emit({ type: 'manifest-done', descriptor, existed: true });
  }

  async #read(descriptor: Descriptor): Promise<{ bytes: Uint8Array; children: readonly Descriptor[] }> {
    if (isIndexType(descriptor.mediaType)) {
      const { bytes, value } = await readIndex(this.#source, descriptor, this.#call);
      return { bytes, children: value.manifests };
    }
    const { bytes, value } = await readManifest(this.#source, descriptor, this.#call);
    return { bytes, children: [value.config, ...value.layers] };
  }

  #put(descriptor: Descriptor, bytes: Uint8Array): Promise<void> {
    return this.#limiter.run(async () => {
      this.#call.signal.throwIfAborted();
      await this.#target.put(descriptor, inOnePiece(bytes), this.#call);
      this.#emit({ type: 'manifest-done', descriptor, existed: false });
    });
  }

  async #copyBlob(descriptor: Descriptor): Promise<void> {
    const reason = await this.#looks.run(() => this.#reasonToSkip(descriptor));
    if (reason !== undefined) {
      this.#emit({ type: 'blob-skipped', descriptor, reason });
      return;
    }
    await this.#unfinished.run(async () => {
      const leave = await this.#limiter.enter();
      try {
        this.#call.signal.throwIfAborted();
        if (await this.#mount(descriptor)) return;
        this.#emit({ type: 'blob-started', descriptor });
        await this.#transfer(descriptor, leave);
        this.#emit({ type: 'blob-done', descriptor });
      } finally {
        leave();
      }
    });
  }

  async #transfer(descriptor: Descriptor, arrived: () => void): Promise<void> {
    const reading = new AbortController();
    const signal = AbortSignal.any([this.#call.signal, reading.signal]);
    try {
      const content = contentOf(this.#source, descriptor, { signal });
      return await this.#target.put(descriptor, this.#counted(content, descriptor, arrived), this.#call);
    } catch (error) {
      if (!isMismatch(error) || !isDoubtful(this.#source) || !this.#source.doubt(descriptor)) throw error;
    } finally {
      // A source that is silent must not hold up a target that has failed.
      reading.abort(new Error('nobody reads the blob any more'));
    }
    return this.#transfer(descriptor, arrived);
  }

  async #reasonToSkip(descriptor: Descriptor): Promise<'exists' | 'foreign' | undefined> {
    this.#call.signal.throwIfAborted();
    const foreign = !this.#options.foreignLayers && isForeignLayerType(descriptor.mediaType);
    if (foreign && mountOriginOf(this.#target) !== undefined) return 'foreign';
    if (await this.#target.has(descriptor, this.#call)) return 'exists';
    const elsewhere = foreign || (!this.#options.foreignLayers && (descriptor.urls?.length ?? 0) > 0);
    return elsewhere && !(await this.#source.has(descriptor, this.#call)) ? 'foreign' : undefined;
  }

  async #mount(descriptor: Descriptor): Promise<boolean> {
    if (!isMounter(this.#target)) return false;
    for (const from of await this.#mountOrigins(descriptor)) {
      if (!(await this.#target.mount(descriptor, from, this.#call))) continue;
      this.#emit({ type: 'blob-mounted', descriptor, from });
      return true;
    }
    return false;
  }

  async #mountOrigins(descriptor: Descriptor): Promise<readonly string[]> {
    const from = mountOriginOf(this.#source);
    const to = mountOriginOf(this.#target);
    if (to === undefined) return [];
    const known = (await this.#options.mountFrom?.(descriptor, to.registry)) ?? [];
    const origins = new Set(from?.registry === to.registry ? [from.repository, ...known] : known);
    origins.delete(to.repository);
    return [...origins].slice(0, mountAttempts);
  }

  #counted(content: Rereadable, descriptor: Descriptor, arrived: () => void): Rereadable {
    return rereadable(
      async function* (this: Copy, offset: number): AsyncGenerator<Uint8Array> {
        let bytes = offset;
        for await (const chunk of content.from(offset)) {
          yield chunk;
          bytes += chunk.length;
          this.#emit({ type: 'blob-progress', descriptor, bytes });
        }
        arrived();
      }.bind(this),
    );
  }

  #emit(event: CopyEvent): void {
    this.#options.onEvent?.(event);
  }
}

function isMismatch(error: unknown): boolean {
  return isLadingError(error, 'DIGEST_MISMATCH') || isLadingError(error, 'SIZE_MISMATCH');
}

function subsetOf(index: ImageIndex, manifests: readonly Descriptor[]): ImageIndex {
  const { mediaType, artifactType, annotations } = index;
  return { schemaVersion: 2, mediaType, artifactType, manifests, annotations };
}

function isDoubtful(source: object): source is DoubtfulSource {
  return 'doubt' in source && typeof source.doubt === 'function';
}

function isMounter(target: object): target is BlobMounter {
  return 'mount' in target && typeof target.mount === 'function';
}

function mountOriginOf(place: object): MountOrigin['mountOrigin'] | undefined {
  return 'mountOrigin' in place ? (place as MountOrigin).mountOrigin : undefined;
}
