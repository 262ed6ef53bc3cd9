import { isLadingError, type LadingError } from '../../errors/errors.js';
import type { CallOptions } from '../../stream/bytes.js';
import { raced } from '../../stream/raced.js';
import { basicAuthorization } from '../http/basic-authorization.js';
import type { Http } from '../http/http.js';
import { systemTiming, type Timing } from '../http/timing.js';
import { type Challenge, parseChallenges } from './challenge.js';
import type { Credential, CredentialSource } from './credentials.js';
import type { RegistryEventSink } from './events.js';
import { protocolError } from './failure.js';
import { challengeScopes, mayWrite, mergeScopes, repositoryOf } from './scopes.js';
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

/** Something that is fetched once for all who wait for it, and kept until it ends or is refused. */
interface Kept<T> {
  readonly value: Promise<T>;
  renewAt: number;
  /** The header that was made of it. */
  header?: string;
}

/**
 * The `Authorization` of one registry: learns from its challenges how it wants to be asked, keeps a token for each set
 * of scopes and renews it before it ends. However many ask for a token at once, it is fetched once. Credentials are
 * asked for by repository, for some are good for a part of the registry only.
 */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #timing: Timing;
  readonly #tokens = new Map<string, Kept<Token>>();
  readonly #credentials = new Map<string, Kept<Credential | undefined>>();
  /** Why we go on without credentials: nothing that stands in the way of reading, everything of writing. */
  readonly #anonymous = new Map<string, LadingError>();
  #scheme: Scheme | undefined;
  /** Scopes that the registry asked for beyond what the specification says, by our own scopes. */
  readonly #asked = new Map<string, readonly string[]>();

  constructor(options: AuthorizerOptions) {
    this.#options = options;
    this.#timing = options.timing ?? systemTiming;
  }

  /** Whether the registry has said how it wants to know who asks. */
  get challenged(): boolean {
    return this.#scheme !== undefined;
  }

  /** The header to send for `scopes` (`repository:NAME:pull,push`); `undefined` is: send none. */
  async header(scopes: readonly string[], { signal }: CallOptions = {}): Promise<string | undefined> {
    const scheme = this.#scheme;
    if (scheme === undefined) return undefined;
    const credential = await raced(this.#credential(scopes), signal);
    if (credential?.kind === 'bearer') return this.#note(scopes, `Bearer ${credential.token}`);
    if (scheme.kind === 'bearer') return `Bearer ${(await raced(this.#token(scheme, scopes), signal)).value}`;
    if (credential?.kind !== 'password') return undefined;
    return this.#note(scopes, basicAuthorization(credential.username, credential.password));
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
    this.learn(challengeHeader, scopes);
    if (this.#scheme === undefined) return false;
    this.#forget(used, scopes);
    const next = await this.header(scopes, options);
    return next !== undefined && next !== used;
  }

  /** Takes a challenge in, from the answer to a first request or to a refused one. */
  learn(challengeHeader: string | undefined, scopes: readonly string[] = []): void {
    const challenges = parseChallenges(challengeHeader);
    const bearer = challenges.filter(({ scheme }) => scheme === 'bearer');
    const basic = challenges.some(({ scheme }) => scheme === 'basic');
    // Of several the first that can be used; when none can, what is wrong with the last is the reason.
    for (const [i, challenge] of bearer.entries()) {
      try {
        this.#scheme = { kind: 'bearer', ...this.#bearerService(challenge) };
      } catch (error) {
        if (i === bearer.length - 1 && !basic) throw error;
        continue;
      }
      const wanted = challengeScopes(challenge.parameters.get('scope'));
      if (wanted.length > 0) this.#asked.set(keyOf(scopes), wanted);
      return;
    }
    if (basic) this.#scheme = { kind: 'basic' };
  }

  #bearerService({ parameters }: Challenge): BearerService {
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

  async #credential(scopes: readonly string[]): Promise<Credential | undefined> {
    const repository = repositoryOf(scopes);
    const key = repository ?? '';
    const writes = mayWrite(scopes);
    const without = this.#anonymous.get(key);
    if (without !== undefined) {
      if (writes) throw without;
      return undefined;
    }
    const kept = this.#keep(this.#credentials, key, async entry => {
      const { credentials, registry, closing } = this.#options;
      const started = this.#timing.now();
      const found = await credentials?.get(registry, { repository, signal: closing });
      if (found?.lifeSeconds !== undefined) entry.renewAt = started + found.lifeSeconds * 900;
      return found;
    });
    try {
      return await kept.value;
    } catch (error) {
      if (this.#options.closing.aborted || !isLadingError(error, 'CREDENTIALS') || writes) throw error;
      this.#goAnonymously(key, error);
      return undefined;
    }
  }

  #goAnonymously(key: string, reason: LadingError): void {
    if (this.#anonymous.has(key)) return;
    this.#anonymous.set(key, reason);
    const { registry, onEvent } = this.#options;
    const message = `no credentials (${reason.message}); going on without`;
    onEvent?.({ kind: 'registry-warning', registry, message });
  }

  async #token(service: BearerService, scopes: readonly string[]): Promise<Token> {
    const kept = this.#keep(this.#tokens, keyOf(scopes), async entry => {
      const token = await this.#fetchToken(service, scopes);
      entry.renewAt = token.renewAt;
      entry.header = `Bearer ${token.value}`;
      return token;
    });
    return await kept.value;
  }

  async #fetchToken(service: BearerService, scopes: readonly string[]): Promise<Token> {
    const { http, registry, closing } = this.#options;
    const key = repositoryOf(scopes) ?? '';
    const wanted = mergeScopes(scopes, this.#asked.get(keyOf(scopes)) ?? []);
    const options = { http, registry, signal: closing, now: () => this.#timing.now() };
    const fetchWith = async (credential: Credential | undefined): Promise<Token> =>
      fetchToken(service, wanted, credential?.kind === 'bearer' ? undefined : credential, options);
    const known = this.#credentials.get(key);
    const credential = await this.#credential(scopes);
    try {
      return await fetchWith(credential);
    } catch (error) {
      if (!isLadingError(error, 'AUTH_FAILED') || credential === undefined) throw error;
      // One that was good before may have been renewed where it comes from.
      if (known !== undefined && this.#credentials.get(key) === known) {
        this.#credentials.delete(key);
        const next = await this.#credential(scopes);
        if (next !== undefined && JSON.stringify(next) !== JSON.stringify(credential)) return await fetchWith(next);
      }
      if (credential.ambient !== true || mayWrite(scopes)) throw error;
      this.#goAnonymously(key, error);
      return await fetchWith(undefined);
    }
  }

  /** What is kept under a key, fetched now if it is not there or has ended. Failures are not kept. */
  #keep<T>(map: Map<string, Kept<T>>, key: string, fetch: (entry: Kept<T>) => Promise<T>): Kept<T> {
    const known = map.get(key);
    if (known !== undefined && this.#timing.now() < known.renewAt) return known;
    const entry = { renewAt: Number.POSITIVE_INFINITY } as { -readonly [K in keyof Kept<T>]: Kept<T>[K] };
    entry.value = fetch(entry);
    map.set(key, entry);
    entry.value.catch(() => {
      if (map.get(key) === entry) map.delete(key);
    });
    return entry;
  }

  #note(scopes: readonly string[], header: string): string {
    const kept = this.#credentials.get(repositoryOf(scopes) ?? '');
    if (kept !== undefined) kept.header = header;
    return header;
  }

  /** Of all whose request was refused with the same header the first lets go of it; the others find its successor. */
  #forget(used: string | undefined, scopes: readonly string[]): void {
    if (used === undefined) return;
    const repository = repositoryOf(scopes) ?? '';
    if (this.#tokens.get(keyOf(scopes))?.header === used) this.#tokens.delete(keyOf(scopes));
    if (this.#credentials.get(repository)?.header === used) this.#credentials.delete(repository);
  }
}

/** In order: the first scope says whose credentials are sent. */
function keyOf(scopes: readonly string[]): string {
  return scopes.join(' ');
}
