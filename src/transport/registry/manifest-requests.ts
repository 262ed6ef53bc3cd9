import { LadingError } from '../../errors/errors.js';
import type { Descriptor } from '../../oci/descriptor.js';
import { type Digest, isDigest } from '../../oci/digest.js';
import { manifestSizeLimit } from '../../oci/manifest.js';
import { inOnePiece } from '../../stream/bytes.js';
import { readCapped } from '../../stream/read-capped.js';
import { digestMismatch, verified } from '../../stream/verified.js';
import type { HttpResponse } from '../http/http.js';
import type { RegistryConnection } from './connection.js';
import { protocolError, responseError } from './failure.js';
import { descriptorFromHeaders, manifestAccept, readManifest } from './manifests.js';

export interface ManifestRequestsOptions {
  /** The rights to ask for; without an access those that are asked for anyway. */
  readonly scopes: (access?: 'push') => readonly string[];
  /** A tag or digest of the repository as it is shown to people. */
  readonly nameOf: (name: string) => string;
}

/** Manifests and indexes of a repository, by tag or digest. */
export class ManifestRequests {
  readonly #connection: RegistryConnection;
  readonly #repository: string;
  readonly #options: ManifestRequestsOptions;
  /** What the last name led to: it is opened next. */
  #fetched: { readonly digest: Digest; readonly bytes: Buffer } | undefined;

  constructor(connection: RegistryConnection, repository: string, options: ManifestRequestsOptions) {
    this.#connection = connection;
    this.#repository = repository;
    this.#options = options;
  }

  ask(method: 'HEAD' | 'GET', name: string, signal: AbortSignal | undefined): Promise<HttpResponse> {
    return this.#connection.send({
      method,
      url: `/v2/${this.#repository}/manifests/${name}`,
      headers: { accept: manifestAccept },
      scopes: this.#options.scopes(),
      signal,
    });
  }

  /** What a name leads to, where the registry says so without sending it. */
  async look(name: string, signal: AbortSignal | undefined): Promise<Descriptor | undefined> {
    const head = await this.ask('HEAD', name, signal);
    const known = head.status === 200 ? descriptorFromHeaders(head, name) : undefined;
    head.discard();
    // Not every registry knows HEAD, and those that do refuse without saying why: GET has the last word.
    return known;
  }

  /** What a name leads to, sent along: to `read` it next asks nobody. @throws LadingError REFERENCE_NOT_FOUND, DIGEST_MISMATCH */
  async fetch(name: string, signal: AbortSignal | undefined): Promise<Descriptor> {
    const response = await this.ask('GET', name, signal);
    const shown = this.#options.nameOf(name);
    if (response.status === 200) {
      const { descriptor, bytes } = await readManifest(response, name);
      this.#fetched = { digest: descriptor.digest, bytes };
      return descriptor;
    }
    if (response.status !== 404) throw await responseError(response, `cannot read ${shown}`);
    response.discard();
    throw new LadingError('REFERENCE_NOT_FOUND', `${shown} is not in the registry`, {
      details: { reference: shown },
      hint: 'Check the repository and the tag.',
    });
  }

  /** @throws LadingError BLOB_NOT_FOUND, DIGEST_MISMATCH */
  async read(descriptor: Descriptor, signal: AbortSignal | undefined): Promise<Buffer> {
    const { digest, bytes } = this.#fetched ?? {};
    const known = digest === descriptor.digest ? bytes : undefined;
    const sent = known ?? (await this.#request(descriptor, signal));
    return readCapped(verified(inOnePiece(sent), descriptor), manifestSizeLimit, 'manifest');
  }

  async #request(descriptor: Descriptor, signal: AbortSignal | undefined): Promise<Buffer> {
    const response = await this.ask('GET', descriptor.digest, signal);
    if (response.status === 404) {
      throw contentMissing(response, descriptor.digest, this.#options.nameOf(descriptor.digest));
    }
    if (response.status !== 200) throw await responseError(response, `cannot read ${descriptor.digest}`);
    return (await readManifest(response, descriptor.digest)).bytes;
  }

  /** Whether the registry has understood that the manifest speaks of another one. */
  async write(
    { digest, mediaType }: Descriptor,
    name: string,
    bytes: Buffer,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const response = await this.#connection.send({
      method: 'PUT',
      url: `/v2/${this.#repository}/manifests/${name}`,
      headers: { 'content-type': mediaType, 'content-length': String(bytes.length) },
      body: bytes,
      scopes: this.#options.scopes('push'),
      signal,
    });
    if (response.status !== 201 && response.status !== 200) {
      throw await responseError(response, `cannot write ${this.#options.nameOf(name)}`);
    }
    response.discard();
    const stored = response.header('docker-content-digest');
    const listed = response.header('oci-subject') !== undefined;
    if (stored === undefined || stored === digest) return listed;
    if (!isDigest(stored)) throw protocolError(response.url, 'names what it stored by something that is not a digest');
    throw digestMismatch(digest, stored);
  }
}

export function contentMissing(response: HttpResponse, digest: Digest, name: string): LadingError<'BLOB_NOT_FOUND'> {
  response.discard();
  return new LadingError('BLOB_NOT_FOUND', `${name} is not in the registry`, {
    details: { digest },
    hint: 'It may have been deleted since its name was resolved; try again.',
  });
}
