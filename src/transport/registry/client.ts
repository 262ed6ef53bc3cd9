/**
 * Registries: where images live behind the distribution API. `client.ts` is one repository as content; `connection.ts`
 * is one registry, `http.ts` patience and redirects, `dispatcher.ts` sockets, `auth.ts` and `token.ts` who we are,
 * `credentials.ts` where we know it from, `upload.ts` and `open-blob.ts` the bytes of blobs. Nothing here knows what an
 * image means.
 */
import { Readable } from 'node:stream';
import type {
  BlobFinder,
  BlobMounter,
  DoubtfulSource,
  MountOrigin,
  PartSource,
  ResolveOptions,
  TransferJournal,
  TransferNote,
} from '../../content/content.js';
import type { ReferrerSource, ReferrersOptions } from '../../content/referrers.js';
import type { Descriptor } from '../../oci/descriptor.js';
import { type Digest, isDigest } from '../../oci/digest.js';
import { manifestSizeLimit } from '../../oci/manifest.js';
import { familiarName, type Reference, referenceIdentifier } from '../../oci/reference.js';
import { abandon } from '../../stream/abandon.js';
import { type Bytes, type CallOptions, inOnePiece } from '../../stream/bytes.js';
import { readCapped } from '../../stream/read-capped.js';
import { isRereadable } from '../../stream/rereadable.js';
import { digestMismatch, verified } from '../../stream/verified.js';
import type { Endpoint } from '../endpoint.js';
import type { HttpResponse } from '../http/http.js';
import { type ConnectionOptions, RegistryConnection } from './connection.js';
import { deleteContent } from './delete-content.js';
import { isImmutableTag, responseError } from './failure.js';
import { findBlob } from './find-blob.js';
import type { ForeignLayers } from './foreign-layers.js';
import { ManifestRequests } from './manifest-requests.js';
import { isManifestKind } from './manifests.js';
import { mountBlob } from './mount-blob.js';
import { type OpenBlobOptions, openBlob } from './open-blob.js';
import { forgetReferrer, listReferrers, noteReferrer, type ReferrerRepository } from './referrers.js';
import { type RegistryBlobOptions, registryBlob } from './registry-blob.js';
import { repositoryScope } from './scopes.js';
import type { SlowLimit } from './slow-body.js';
import { listTags } from './tags.js';
import { smallSize, type UploadOptions, uploadBlob } from './upload.js';
import { cancelUpload } from './upload-session.js';

export interface RegistryOptions extends ConnectionOptions {
  readonly reference: Reference;
  /** What will be done; decides which rights are asked for first. Default `pull`. */
  readonly access?: 'pull' | 'push' | undefined;
  /** A connection to share with other repositories of the registry; its own options then count, and it stays open. */
  readonly connection?: RegistryConnection | undefined;
  /** Uploads blobs larger than this in pieces of this size. Default: a blob is one request, until one fails. */
  readonly chunkSizeBytes?: number | undefined;
  /** In how many ranges at a time a very large blob is downloaded; default 1. Each holds 4 MiB in memory. */
  readonly parallelRanges?: number | undefined;
  /** What is too slow to go on with; default 32 KiB in 30 seconds. */
  readonly slowLimit?: SlowLimit | undefined;
  /** Where layers come from that are kept elsewhere; default nowhere. For reading alone; closed with the repository. */
  readonly foreignLayers?: ForeignLayers | undefined;
  /** Where uploads are noted, so that another process can go on with them. */
  readonly journal?: TransferJournal | undefined;
}

/** One repository of a registry. Opens no socket before it is used. */
export function openRegistry(options: RegistryOptions): RegistryEndpoint {
  return new RegistryEndpoint(options);
}

export class RegistryEndpoint
  implements Endpoint, PartSource, DoubtfulSource, BlobFinder, BlobMounter, MountOrigin, ReferrerSource
{
  /** The tag or digest of the reference that it was opened with. */
  readonly name: string;
  readonly mountOrigin: { readonly registry: string; readonly repository: string };
  readonly #options: RegistryOptions;
  readonly #connection: RegistryConnection;
  readonly #repository: string;
  readonly #manifests: ManifestRequests;
  /** Blobs that the registry has just said it does not have, and uploads that it began on its own. */
  readonly #absent = new Set<Digest>();
  readonly #begun = new Map<Digest, URL>();
  /** Manifests written through here, for their tags. */
  readonly #written = new Map<Digest, Buffer>();

  constructor(options: RegistryOptions) {
    const { registry, repository } = options.reference;
    this.name = referenceIdentifier(options.reference);
    this.mountOrigin = { registry, repository };
    this.#options = options;
    this.#repository = repository;
    this.#connection = options.connection ?? new RegistryConnection(registry, options);
    this.#manifests = new ManifestRequests(this.#connection, repository, {
      scopes: access => this.#scopes(access),
      nameOf: name => this.#nameOf(name),
    });
  }

  /** Registries count GET of a manifest, and not HEAD: what may be known already is only asked for. */
  async resolve(name: string, { signal, toOpen }: ResolveOptions = {}): Promise<Descriptor> {
    return (
      (toOpen ? undefined : await this.#manifests.look(name, signal)) ?? (await this.#manifests.fetch(name, signal))
    );
  }

  async has(descriptor: Descriptor, { signal }: CallOptions = {}): Promise<boolean> {
    return (await this.#holds(descriptor, signal)) || this.#options.foreignLayers?.knows(descriptor) === true;
  }

  async #holds(descriptor: Descriptor, signal: AbortSignal | undefined): Promise<boolean> {
    const manifest = isManifestKind(descriptor.mediaType);
    const ask = (method: 'HEAD' | 'GET'): Promise<HttpResponse> =>
      manifest
        ? this.#manifests.ask(method, descriptor.digest, signal)
        : this.#connection.send({
            method,
            url: `/v2/${this.#repository}/blobs/${descriptor.digest}`,
            scopes: this.#scopes(),
            signal,
          });
    let response = await ask('HEAD');
    if (response.status !== 200 && response.status !== 404) {
      response.discard();
      response = await ask('GET');
    }
    const { status } = response;
    if (status !== 200 && status !== 404) throw await responseError(response, `cannot look for ${descriptor.digest}`);
    response.discard();
    if (status === 404 && !manifest) this.#absent.add(descriptor.digest);
    return status === 200;
  }

  async findBlob(digest: Digest, { signal }: CallOptions = {}): Promise<Descriptor> {
    const place = { connection: this.#connection, repository: this.#repository, scopes: this.#scopes() };
    return await findBlob(place, digest, this.#nameOf(digest), signal);
  }

  async open(descriptor: Descriptor, { signal }: CallOptions = {}): Promise<Readable> {
    if (isManifestKind(descriptor.mediaType)) {
      return Readable.from(inOnePiece(await this.#manifests.read(descriptor, signal)), { objectMode: false });
    }
    const check = (content: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> => verified(content, descriptor);
    return this.#openBlob(descriptor, 0, signal, check);
  }

  async openFrom(descriptor: Descriptor, offset: number, { signal }: CallOptions = {}): Promise<Readable> {
    if (offset > 0) {
      const { digest } = descriptor;
      this.#options.onEvent?.({ kind: 'transfer-continued', direction: 'download', digest, offset });
    }
    return this.#openBlob(descriptor, offset, signal);
  }

  async put(descriptor: Descriptor, content: Bytes, { signal }: CallOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    const { digest, mediaType } = descriptor;
    if (isManifestKind(mediaType)) {
      const bytes = await readCapped(verified(content, descriptor), manifestSizeLimit, 'manifest');
      const listed = await this.#manifests.write(descriptor, digest, bytes, signal);
      this.#written.set(digest, bytes);
      if (!listed) await noteReferrer(this.#referrerRepository(), descriptor, bytes, { signal });
      return;
    }
    const { journal } = this.#options;
    if (journal === undefined || descriptor.size <= smallSize || !isRereadable(content)) {
      return this.#upload(descriptor, content, undefined, signal);
    }
    const { registry, repository } = this.mountOrigin;
    await journal.holdTransfer(
      `upload ${registry}/${repository} ${digest}`,
      // Whoever had it before may have brought it there.
      async note => {
        this.#absent.delete(digest);
        await this.#upload(descriptor, content, note, signal);
      },
      { signal },
    );
  }

  async tag(descriptor: Descriptor, name: string, { signal }: CallOptions = {}): Promise<void> {
    if (isDigest(name)) {
      if (name !== descriptor.digest) throw digestMismatch(name, descriptor.digest);
      return;
    }
    const bytes = this.#written.get(descriptor.digest) ?? (await this.#manifests.read(descriptor, signal));
    await this.#manifests.write(descriptor, name, bytes, signal).catch(async error => {
      // A tag that cannot be changed may be what it should be already.
      const standing = isImmutableTag(error) ? await this.resolve(name, { signal }).catch(() => undefined) : undefined;
      if (standing?.digest !== descriptor.digest) throw error;
    });
  }

  async mount({ digest }: Descriptor, from: string, { signal }: CallOptions = {}): Promise<boolean> {
    const place = { connection: this.#connection, repository: this.#repository, scopes: this.#scopes('push') };
    const mounted = await mountBlob(place, digest, from, signal);
    // One upload is enough, whatever came of an earlier attempt.
    await this.#cancelBegun(digest);
    if (mounted instanceof URL) this.#begun.set(digest, mounted);
    return mounted === true;
  }

  doubt(descriptor: Descriptor): boolean {
    const { foreignLayers } = this.#options;
    return foreignLayers?.doubt(descriptor) || this.#connection.doubt(descriptor.digest);
  }

  /** The tags of the repository, in the registry's order. */
  tags({ signal }: CallOptions = {}): AsyncIterable<string> {
    return listTags(this.#connection, this.#repository, this.#scopes(), signal);
  }

  /** What speaks of a manifest: asked of the registry, else found under the tag that stands for its answer. */
  referrers(subject: Digest, options: ReferrersOptions = {}): AsyncIterable<Descriptor> {
    return listReferrers(this.#referrerRepository(), subject, options);
  }

  /**
   * Deletes a tag, or with a digest a manifest and all its tags. Blobs stay until the registry collects them.
   * @throws LadingError REFERENCE_NOT_FOUND; UNSUPPORTED when the registry does not delete
   */
  async delete(name: string, { signal }: CallOptions = {}): Promise<void> {
    if (isDigest(name)) await forgetReferrer(this.#referrerRepository(), name, { signal });
    await this.#delete('manifests', name, signal);
  }

  /** @throws LadingError BLOB_NOT_FOUND, UNSUPPORTED */
  async deleteBlob(digest: Digest, { signal }: CallOptions = {}): Promise<void> {
    await this.#delete('blobs', digest, signal);
  }

  async #delete(kind: 'manifests' | 'blobs', id: string, signal: AbortSignal | undefined): Promise<void> {
    const place = { connection: this.#connection, repository: this.#repository, scopes: this.#scopes('push') };
    await deleteContent(place, kind, id, this.#nameOf(id), signal);
  }

  #referrerRepository(): ReferrerRepository {
    return { content: this, connection: this.#connection, repository: this.#repository, scopes: this.#scopes() };
  }

  /** Cancels what is unfinished and closes every socket, unless the connection is shared. */
  async close(): Promise<void> {
    await Promise.all([...this.#begun.keys()].map(digest => this.#cancelBegun(digest)));
    await this.#options.foreignLayers?.close();
    if (this.#options.connection === undefined) await this.#connection.close();
  }

  abort(): Promise<void> {
    return this.close();
  }

  async #cancelBegun(digest: Digest): Promise<void> {
    const session = this.#begun.get(digest);
    this.#begun.delete(digest);
    if (session !== undefined) await cancelUpload(this.#connection, session, this.#scopes('push'));
  }

  async #upload(
    descriptor: Descriptor,
    content: Bytes,
    note: TransferNote | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { digest } = descriptor;
    const session = this.#begun.get(digest);
    this.#begun.delete(digest);
    if (session === undefined && !this.#absent.has(digest) && (await this.#holds(descriptor, signal))) {
      await note?.remove();
      return abandon(content);
    }
    this.#absent.delete(digest);
    const leave = await this.#connection.enter('upload', signal);
    try {
      const options = { ...this.#transferOptions('push', signal), session, note };
      await uploadBlob(this.#connection, descriptor, content, options);
    } finally {
      leave();
    }
  }

  #scopes(access = this.#options.access ?? 'pull'): readonly string[] {
    return [repositoryScope(this.#repository, access)];
  }

  /** Layers that are kept elsewhere may be here all the same, and are then taken from here. */
  async #openBlob(
    descriptor: Descriptor,
    offset: number,
    signal: AbortSignal | undefined,
    check?: Parameters<typeof openBlob>[4],
  ): Promise<Readable> {
    const options = this.#transferOptions('pull', signal);
    const { foreignLayers } = this.#options;
    if (foreignLayers?.knows(descriptor)) {
      const absent = this.#absent.has(descriptor.digest) || !(await this.#holds(descriptor, signal));
      if (absent) return foreignLayers.first(descriptor, place => openBlob(place, descriptor, offset, options, check));
    }
    return openBlob(registryBlob(this.#connection, descriptor, options), descriptor, offset, options, check);
  }

  #transferOptions(
    access: 'pull' | 'push',
    signal: AbortSignal | undefined,
  ): OpenBlobOptions & UploadOptions & RegistryBlobOptions {
    const scopes = access === 'push' ? this.#scopes('push') : this.#scopes();
    return { ...this.#options, repository: this.#repository, scopes, signal };
  }

  #nameOf(name: string): string {
    const { registry, repository } = this.mountOrigin;
    return familiarName({ registry, repository, ...(isDigest(name) ? { digest: name } : { tag: name }) });
  }
}
