import { isLadingError, type LadingError } from '../../errors/errors.js';
import type { CallOptions } from '../../stream/bytes.js';
import { raced } from '../../stream/raced.js';
import type { Http } from '../http/http.js';
import { systemTiming, type Timing } from '../http/timing.js';
import { parseChallenges } from './challenge.js';
import type { Credential, CredentialSource } from './credentials.js';
import type { RegistryEventSink } from './events.js';
import { protocolError } from './failure.js';
import { type BearerService, fetchToken, type Token } from './token.js';
import type { Trust } from './trust.js';

export interface AuthorizerOptions {
  /** As in a reference. */
  readonly registry: string;
  readonly http: Http;
  readonly trust: Trust;
  readonly credentials?: CredentialSource | undefined;
  readonly timing?: Timing | undefined;
  readonly onEvent?: RegistryEventSink | undefined;
  /** Ends token requests that are under way. */
  readonly closing: AbortSignal;
}

type Scheme = { readonly kind: 'basic' } | ({ readonly kind: 'bearer' } & BearerService);

/**
 * The `Authorization` of one registry: learns from its challenges how it wants to be asked, keeps a token for each set
 * of scopes and renews it before it ends. However many ask for a token at once, it is fetched once.
 */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #timing: Timing;
  readonly #tokens = new Map<string, Promise<Token>>();
  #scheme: Scheme | undefined;
  /** Scopes that the registry asked for beyond what the specification says, by our own scopes. */
  readonly #asked = new Map<string, readonly string[]>();
  #credential: Promise<Credential | undefined> | undefined;
  /** Why we go on without credentials: nothing that stands in the way of reading, everything of writing. */
  #withoutCredentials: LadingError | undefined;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
    this.#timing = options.timing ?? systemTiming;
  }

  /** The header to send for `scopes` (`repository:NAME:pull,push`); `undefined` is: send none. */
  async header(scopes: readonly string[], { signal }: CallOptions = {}): Promise<string | undefined> {
    const scheme = this.#scheme;
    if (scheme === undefined) return undefined;
    const credential = await raced(this.#credentials(scopes), signal);
    if (credential?.kind === 'bearer') return `Bearer ${credential.token}`;
    if (scheme.kind === 'basic') {
      if (credential?.kind !== 'password') return undefined;
      return `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}`;
    }
    const token = await raced(this.#token(scheme, scopes, credential), signal);
    return `Bearer ${token.value}`;
  }

  /**
   * Learns from an answer of 401 to a request that carried `used`.
   * @returns whether to send the request again
   */
  async refused(
    challengeHeader: string | undefined,
    used: string | undefined,
    scopes: readonly string[],
    options: CallOptions = {},
  ): Promise<boolean> {
    const known = this.#scheme !== undefined;
    this.learn(challengeHeader, scopes);
    if (this.#scheme === undefined) return false;
    if (known && used !== undefined && used === (await this.header(scopes, options))) this.#forget(scopes);
    const next = await this.header(scopes, options);
    return next !== undefined && next !== used;
  }

  /** Takes a challenge in, from the answer to a first request or to a refused one. */
  learn(challengeHeader: string | undefined, scopes: readonly string[] = []): void {
    const challenges = parseChallenges(challengeHeader);
    for (const { scheme, parameters } of challenges) {
      if (scheme === 'bearer') {
        this.#scheme = { kind: 'bearer', ...this.#bearerService(parameters) };
        const wanted = (parameters.get('scope') ?? '').split(' ').filter(scope => scopePattern.test(scope));
        if (wanted.length > 0 && wanted.length <= 10) this.#asked.set(keyOf(scopes), wanted);
        return;
      }
    }
    if (challenges.some(challenge => challenge.scheme === 'basic')) this.#scheme = { kind: 'basic' };
  }

  #bearerService(parameters: ReadonlyMap<string, string>): BearerService {
    const { registry, trust } = this.#options;
    const origin = `https://${registry}/`;
    let realm: URL;
    try {
      realm = new URL(parameters.get('realm') ?? '');
    } catch {
      throw protocolError(origin, 'names no place where tokens are given out');
    }
    if (!trust.allows(realm) || realm.username !== '' || realm.password !== '') {
      throw protocolError(
        origin,
        'sends its users to a place for tokens that is not safe',
        'Credentials go out over HTTPS only; when the registry and its network are trusted, allow it with --insecure.',
      );
    }
    realm.hash = '';
    return { realm, service: parameters.get('service')?.slice(0, 1024) };
  }

  async #credentials(scopes: readonly string[]): Promise<Credential | undefined> {
    const { credentials, registry, closing, onEvent } = this.#options;
    const writes = scopes.some(mayWrite);
    if (this.#withoutCredentials !== undefined) {
      if (writes) throw this.#withoutCredentials;
      return undefined;
    }
    this.#credential ??= (async () => credentials?.get(registry, { signal: closing }))();
    const current = this.#credential;
    try {
      return await current;
    } catch (error) {
      if (this.#credential === current) this.#credential = undefined;
      if (closing.aborted || !isLadingError(error, 'CREDENTIALS') || writes) throw error;
      if (this.#withoutCredentials !== undefined) return undefined;
      this.#withoutCredentials = error;
      onEvent?.({
        kind: 'registry-warning',
        registry,
        message: `no credentials (${error.message}); going on without`,
      });
      return undefined;
    }
  }

  async #token(
    service: BearerService,
    scopes: readonly string[],
    credential: Exclude<Credential, { kind: 'bearer' }> | undefined,
  ): Promise<Token> {
    const key = keyOf(scopes);
    const known = this.#tokens.get(key);
    if (known !== undefined) {
      const token = await known.catch(() => undefined);
      if (token !== undefined && this.#timing.now() < token.renewAt) return token;
      // Whoever notices first that a token is used up asks for the next; the others find that one here.
      if (this.#tokens.get(key) !== known) return this.#token(service, scopes, credential);
    }
    const { http, registry, closing } = this.#options;
    const wanted = [...new Set([...scopes, ...(this.#asked.get(key) ?? [])])];
    const fetched = fetchToken(service, wanted, credential, {
      http,
      registry,
      signal: closing,
      now: () => this.#timing.now(),
    });
    this.#tokens.set(key, fetched);
    fetched.catch(() => {
      if (this.#tokens.get(key) === fetched) this.#tokens.delete(key);
    });
    return fetched;
  }

  #forget(scopes: readonly string[]): void {
    this.#tokens.delete(keyOf(scopes));
    this.#credential = undefined;
  }
}

/** The scope of a repository, as the distribution project defines it. */
export function repositoryScope(repository: string, access: 'pull' | 'push'): string {
  return `repository:${repository}:${access === 'push' ? 'pull,push' : 'pull'}`;
}

const scopePattern = /^[!#-[\]-~]{1,512}$/;

function mayWrite(scope: string): boolean {
  return scope.endsWith(':pull,push');
}

function keyOf(scopes: readonly string[]): string {
  return [...scopes].sort().join(' ');
}
