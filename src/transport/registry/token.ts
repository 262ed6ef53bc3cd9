import * as z from 'zod/mini';
import { readCapped } from '../../stream/read-capped.js';
import { basicAuthorization } from '../http/basic-authorization.js';
import type { Http, HttpResponse } from '../http/http.js';
import type { Credential } from './credentials.js';
import { authFailed, protocolError, readErrors, responseError } from './failure.js';

/** Who gives out tokens for a registry. */
export interface BearerService {
  readonly realm: URL;
  readonly service?: string | undefined;
}

export interface Token {
  readonly value: string;
  /** On the clock of `FetchTokenOptions.now`: when it is better to ask for a new one. */
  readonly renewAt: number;
}

export interface FetchTokenOptions {
  readonly http: Http;
  readonly registry: string;
  readonly signal?: AbortSignal | undefined;
  now(): number;
}

const answerSchema = z.looseObject({
  token: z.nullish(z.string()),
  access_token: z.nullish(z.string()),
  expires_in: z.nullish(z.union([z.number(), z.string()])),
});

const answerLimit = 256 * 1024;
/** No server takes a header that is longer. */
const tokenPattern = /^[\x21-\x7e]{1,65536}$/;
/** What the token specification says of a token that does not say how long it lives. */
const defaultLifeSeconds = 60;
/** Whoever claims more is asked again all the same: a right that was taken away shall end. */
const longestLifeSeconds = 3600;

/**
 * Gets a bearer token for some scopes: with a refresh token by the OAuth2 form, else with a password or anonymously by
 * the simple form that every registry knows. A service that does not know the OAuth2 form gets the refresh token as
 * a password.
 * @throws LadingError AUTH_FAILED
 */
export async function fetchToken(
  { realm, service }: BearerService,
  scopes: readonly string[],
  credential: Exclude<Credential, { kind: 'bearer' }> | undefined,
  { http, registry, signal, now }: FetchTokenOptions,
): Promise<Token> {
  const started = now();
  const response = await ask();
  if (response.status !== 200) {
    if (response.status === 400 || response.status === 401 || response.status === 403) {
      throw authFailed(registry, response.status, (await readErrors(response.body))[0]?.message ?? '');
    }
    throw await responseError(response, `cannot get a token for ${registry}`);
  }
  const answer = await readAnswer(response);
  const value = answer?.token || answer?.access_token;
  if (!value || !tokenPattern.test(value)) throw protocolError(realm, 'gave an answer without a token');
  return { value, renewAt: started + lifeSeconds(answer?.expires_in) * 900 };

  async function ask(): Promise<HttpResponse> {
    if (credential?.kind !== 'identity') return await getSimple(credential);
    const posted = await postForm(credential.token);
    if (posted.status !== 404 && posted.status !== 405) return posted;
    posted.discard();
    return await getSimple({ username: credential.username ?? '<token>', password: credential.token });
  }

  function getSimple(
    pair: { readonly username: string; readonly password: string } | undefined,
  ): Promise<HttpResponse> {
    const url = new URL(realm);
    if (service !== undefined) url.searchParams.set('service', service);
    for (const scope of scopes) url.searchParams.append('scope', scope);
    if (pair !== undefined) url.searchParams.set('account', pair.username);
    return http.send({
      method: 'GET',
      url,
      headers: { accept: 'application/json' },
      authorization: pair && basicAuthorization(pair.username, pair.password),
      signal,
    });
  }

  function postForm(refreshToken: string): Promise<HttpResponse> {
    const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'lading', refresh_token: refreshToken });
    if (service !== undefined) form.set('service', service);
    if (scopes.length > 0) form.set('scope', scopes.join(' '));
    return http.send({
      method: 'POST',
      url: realm,
      headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
      body: Buffer.from(form.toString()),
      redirects: 'refuse',
      signal,
    });
  }
}

/** Services write the number as a number or as a text; what is neither says nothing. */
function lifeSeconds(claimed: number | string | null | undefined): number {
  const seconds = Number(claimed ?? 0);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, longestLifeSeconds) : defaultLifeSeconds;
}

async function readAnswer(response: HttpResponse): Promise<z.infer<typeof answerSchema> | undefined> {
  try {
    return answerSchema.parse(JSON.parse((await readCapped(response.body, answerLimit, 'token')).toString('utf8')));
  } catch {
    // The answer is a secret, whatever is wrong with it: nothing of it is passed on.
    return undefined;
  } finally {
    response.body.destroy();
  }
}
