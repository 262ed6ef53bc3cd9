import { Readable } from 'node:stream';
import { isLadingError } from '../../errors/errors.js';
import { type Digest, digestAlgorithm, isDigest } from '../../oci/digest.js';
import { manifestSizeLimit } from '../../oci/manifest.js';
import { readCapped } from '../../stream/read-capped.js';
import { Digester } from '../../stream/verified.js';
import type { HttpResponse } from '../http/http.js';
import type { RegistryConnection, RegistryRequest } from './connection.js';
import type { RegistryEventSink } from './events.js';
import { repositoryScope } from './scopes.js';
import type { Mirror } from './settings/route.js';

export interface MirrorsOptions {
  /** The repository that they are mirrors of, in its registry. */
  readonly repository: string;
  readonly mirrors: readonly Mirror[];
  readonly connect: (mirror: Mirror) => RegistryConnection;
  readonly onEvent?: RegistryEventSink | undefined;
}

interface Connected {
  readonly mirror: Mirror;
  readonly connection: RegistryConnection;
  /** It has failed, and is left alone from then on. */
  broken: boolean;
}

/** Answers up to this size are checked before anybody sees them. */
const checkedSize = 4 * 1024 * 1024;

/**
 * Places that may have what a repository has: asked first, in their order, with credentials of their own, and only for
 * what can be checked by its digest, or for what tags mean. One that fails is told of once and left alone; whoever asks
 * goes on to the next, and to the repository itself in the end.
 */
export class Mirrors {
  readonly #options: MirrorsOptions;
  readonly #mirrors: readonly Connected[];
  /** Large blobs that a mirror has sent, unchecked. */
  readonly #sent = new Map<Digest, Connected>();

  constructor(options: MirrorsOptions) {
    this.#options = options;
    this.#mirrors = options.mirrors.map(mirror => ({ mirror, connection: options.connect(mirror), broken: false }));
  }

  /** What a mirror answers to a request; `undefined` when it is for none, or none has what is asked for. */
  async send({ url, method, scopes: _, ...request }: RegistryRequest): Promise<HttpResponse | undefined> {
    if (typeof url !== 'string' || (method !== 'GET' && method !== 'HEAD')) return undefined;
    const start = `/v2/${this.#options.repository}/`;
    const [, kind, id = ''] =
      /^(manifests|blobs)\/([^/?]+)$/.exec(url.startsWith(start) ? url.slice(start.length) : '') ?? [];
    if (kind === undefined) return undefined;
    const wanted = isDigest(id) ? id : undefined;
    for (const one of this.#mirrors) {
      const { mirror, connection } = one;
      if (one.broken || !(wanted === undefined ? mirror.tags : mirror.digests)) continue;
      try {
        const response = await connection.send({
          ...request,
          method,
          url: `/v2/${mirror.repository}/${kind}/${id}${mirror.namespace === undefined ? '' : `?ns=${encodeURIComponent(mirror.namespace)}`}`,
          scopes: [repositoryScope(mirror.repository, 'pull')],
          retries: 1,
        });
        const answer = await this.#accept(response, one, kind, wanted);
        if (answer !== undefined) return answer;
      } catch (error) {
        // A file of the settings that cannot be read is no failure of the mirror, and would never be seen.
        if (request.signal?.aborted || !isLadingError(error) || error.code === 'IO') throw error;
        this.#leave(one, error.message);
      }
    }
    return undefined;
  }

  /** What came for a digest was something else. @returns whether it was a mirror that sent it */
  doubt(digest: Digest): boolean {
    const liar = this.#sent.get(digest);
    this.#sent.delete(digest);
    if (liar !== undefined) this.#leave(liar, `sent something else than ${digest}`);
    return liar !== undefined;
  }

  async close(): Promise<void> {
    await Promise.all(this.#mirrors.map(({ connection }) => connection.close()));
  }

  async #accept(
    response: HttpResponse,
    one: Connected,
    kind: string,
    wanted: Digest | undefined,
  ): Promise<HttpResponse | undefined> {
    const { status, method } = response;
    if (status !== 200 && status !== 206) {
      response.discard();
      // Not to have something is no failure of a mirror.
      if (status !== 404) this.#leave(one, `answered ${status}`);
      return undefined;
    }
    if (method === 'HEAD') return response;
    const length = Number(response.header('content-length') ?? Number.NaN);
    if (kind === 'manifests' || (status === 200 && length <= checkedSize)) {
      return await this.#checked(response, one, wanted);
    }
    response.body.once('error', () => this.#leave(one, 'broke off'));
    if (wanted !== undefined) this.#sent.set(wanted, one);
    return response;
  }

  /** The same answer, once its bytes have been compared with the digest that was asked for, or that it claims. */
  async #checked(
    response: HttpResponse,
    one: Connected,
    wanted: Digest | undefined,
  ): Promise<HttpResponse | undefined> {
    let bytes: Buffer;
    try {
      bytes = await readCapped(response.body, Math.max(checkedSize, manifestSizeLimit), 'answer of a mirror');
    } catch {
      this.#leave(one, 'broke off');
      return undefined;
    } finally {
      response.body.destroy();
    }
    const claimed = response.header('docker-content-digest');
    const expected = wanted ?? (claimed !== undefined && isDigest(claimed) ? claimed : undefined);
    if (expected !== undefined) {
      const digester = new Digester(digestAlgorithm(expected));
      digester.update(bytes);
      if (digester.digest() !== expected) {
        this.#leave(one, `sent something else than ${expected}`);
        return undefined;
      }
    }
    return { ...response, body: Readable.from([bytes], { objectMode: false }), discard: () => {} };
  }

  #leave(one: Connected, reason: string): void {
    if (one.broken) return;
    one.broken = true;
    const { registry } = one.mirror;
    this.#options.onEvent?.({ kind: 'registry-warning', registry, message: `the mirror is left alone: ${reason}` });
  }
}
