import { randomBytes } from 'node:crypto';

/** Who may do what in a test registry, and how they say who they are. */
export type RegistryAuth =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | {
      readonly kind: 'token';
      readonly username: string;
      readonly password: string;
      /** A refresh token that is as good as the password. */
      readonly identityToken?: string | undefined;
      /** How long a token is good; default 300. */
      readonly expiresInSeconds?: number | undefined;
      /** What the answer says of it, if not the truth; `null` says nothing. */
      readonly claimedSeconds?: number | null | undefined;
      /** Whether tokens for reading are given to everyone. */
      readonly anonymousPull?: boolean | undefined;
    };

interface Grant {
  readonly scopes: readonly string[];
  readonly expiresAt: number;
}

/** Checks what requests show, gives out tokens, and knows which texts are secrets. */
export class RegistryAccounts {
  #auth: RegistryAuth;
  readonly #now: () => number;
  readonly #grants = new Map<string, Grant>();

  constructor(auth: RegistryAuth, now: () => number) {
    this.#auth = auth;
    this.#now = now;
  }

  get auth(): RegistryAuth {
    return this.#auth;
  }

  /** From now on the password is another one. */
  changePassword(password: string): void {
    if (this.#auth.kind !== 'none') this.#auth = { ...this.#auth, password };
  }

  /** Everything that must appear in an `Authorization` only. */
  get secrets(): readonly string[] {
    const { auth } = this;
    if (auth.kind === 'none') return [];
    const basic = Buffer.from(`${auth.username}:${auth.password}`).toString('base64');
    const identity = auth.kind === 'token' && auth.identityToken ? [auth.identityToken] : [];
    return [auth.password, basic, ...identity, ...this.#grants.keys()];
  }

  allows(authorization: string | undefined, repository: string | undefined, action: 'pull' | 'push'): boolean {
    const { auth } = this;
    if (auth.kind === 'none') return true;
    if (auth.kind === 'basic') return this.#isPassword(authorization);
    const grant = this.#grants.get(/^Bearer (.+)$/.exec(authorization ?? '')?.[1] ?? '');
    if (grant === undefined || this.#now() >= grant.expiresAt) return false;
    return repository === undefined || grant.scopes.some(scope => covers(scope, repository, action));
  }

  /** The answer to a request for a token; `undefined` when the credentials are wrong. */
  issue(
    wanted: readonly string[],
    shown: { readonly authorization?: string | undefined; readonly refreshToken?: string | undefined },
  ): Readonly<Record<string, unknown>> | undefined {
    const { auth } = this;
    if (auth.kind !== 'token') return undefined;
    let known = false;
    if (shown.refreshToken !== undefined) {
      if (shown.refreshToken !== auth.identityToken) return undefined;
      known = true;
    } else if (shown.authorization !== undefined) {
      if (!this.#isPassword(shown.authorization)) return undefined;
      known = true;
    }
    const forAll = auth.anonymousPull
      ? wanted.filter(scope => scope.startsWith('repository:')).map(scope => scope.replace(/:[^:]*$/, ':pull'))
      : [];
    const token = randomBytes(16).toString('hex');
    const seconds = auth.expiresInSeconds ?? 300;
    this.#grants.set(token, { scopes: known ? wanted : forAll, expiresAt: this.#now() + seconds * 1000 });
    const claimed = auth.claimedSeconds === undefined ? seconds : auth.claimedSeconds;
    const answer = shown.refreshToken === undefined ? { token } : { access_token: token };
    return claimed === null ? answer : { ...answer, expires_in: claimed };
  }

  /** Makes all tokens that were given out useless. */
  revoke(): void {
    for (const [token, grant] of this.#grants) this.#grants.set(token, { ...grant, expiresAt: 0 });
  }

  #isPassword(authorization: string | undefined): boolean {
    if (this.auth.kind === 'none') return false;
    const { username, password } = this.auth;
    return authorization === `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  }
}

function covers(scope: string, repository: string, action: string): boolean {
  const match = /^repository:(.+):([a-z,]+)$/.exec(scope);
  return match?.[1] === repository && match[2]!.split(',').includes(action);
}
