import { LadingError } from '../../errors/errors.js';
import type { CallOptions } from '../../stream/bytes.js';

/** What proves who we are. Never shown, never logged. */
export type Credential = (
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token; some services want to hear whose it is. */
  | { readonly kind: 'identity'; readonly token: string; readonly username?: string | undefined }
  /** A bearer token that is sent as it is. */
  | { readonly kind: 'bearer'; readonly token: string }
) & {
  /** After how long to ask for it again; without it when it is refused. */
  readonly lifeSeconds?: number | undefined;
  /** It lay around rather than being given for this registry: what is public can be read without it. */
  readonly ambient?: boolean | undefined;
};

export interface CredentialRequest extends CallOptions {
  /** Path inside the registry; some credentials are for a part of it. Without it those for all of it are meant. */
  readonly repository?: string | undefined;
}

/** Where credentials come from. `undefined` is: go anonymously. */
export interface CredentialSource {
  /** `registry` as in a reference: `docker.io`, `ghcr.io`, `127.0.0.1:5000`. Throws `CREDENTIALS`. */
  get(registry: string, request?: CredentialRequest): Promise<Credential | undefined>;
}

/** What credentials are looked for. */
export interface CredentialTarget {
  readonly registry: string;
  readonly repository?: string | undefined;
}

/** Something in a place that concerns a target. Looking costs little; only `get` runs programs or asks services. */
export interface CredentialCandidate {
  /** What it is, without secrets: `auths["ghcr.io"]`. */
  readonly entry: string;
  get(options: CallOptions): Promise<Credential | undefined>;
}

/** One of the places where credentials are looked for. */
export interface CredentialPlace {
  /** As people know it: the path of a file, the name of a variable or of a service. */
  readonly name: string;
  /**
   * What concerns the target, the closest first; a text says why nothing does.
   * @throws LadingError CREDENTIALS for a place that cannot be read
   */
  look(target: CredentialTarget, options: CallOptions): Promise<readonly CredentialCandidate[] | string>;
}

/** Asks one place after the other, until one has an answer. One that fails ends it: the next might be somebody else. */
export function credentialsFrom(places: readonly CredentialPlace[]): CredentialSource {
  return {
    async get(registry, { repository, signal } = {}) {
      for (const place of places) {
        const seen = await place.look({ registry, repository }, { signal });
        for (const candidate of typeof seen === 'string' ? [] : seen) {
          const found = await candidate.get({ signal });
          if (found !== undefined) return found;
        }
      }
      return undefined;
    },
  };
}

/** Whether it can be the name in a pair that is sent: a colon would end it. */
export function isUserName(text: string): boolean {
  return /^[^:\u0000-\u001f\u007f]+$/.test(text);
}

/** Whether it can be a password or a token. */
export function isSecretText(text: string): boolean {
  return /^[^\u0000-\u001f\u007f]+$/.test(text);
}

export function credentialsError(source: string, problem: string, hint: string): LadingError<'CREDENTIALS'> {
  return new LadingError('CREDENTIALS', `${source}: ${problem}`, { details: { source }, hint });
}
