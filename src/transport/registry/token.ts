import * as z from 'zod';
import { readCapped } from '../../stream/read-capped.js';
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
  token: z.string().nullish(),
  access_token: z.string().nullish(),
  expires_in: z.number().nullish(),
});

const answerLimit = 1024 * 1024;
/** What the token specification says of a token that does not say how long it lives. */
const defaultLifeSeconds = 60;

/**
 * Gets a bearer token for some scopes: with a refresh token by the OAuth2 form, else with a password or anonymously by
 * the simple form that every registry knows.
 * @throws LadingError AUTH_FAILED
 */
export async function fetchToken(
  { realm, service }: BearerService,
  scopes: readonly string[],
  credential: Exclude<Credential, { kind: 'bearer' }> | undefined,
  { http, registry, signal, now }: FetchTokenOptions,
): Promise<Token> {
  const started = now();
  const response = credential?.kind === 'identity' ? await postForm(credential.token) : await getSimple(credential);
  if (response.status !== 200) {
    if (response.status === 400 || response.status === 401 || response.status === 403) {
      throw authFailed(registry, response.status, (await readErrors(response.body))[0]?.message ?? '');
    }
    throw await responseError(response, `cannot get a token for ${registry}`);
  }
  const answer = await readAnswer(response);
  const value = answer?.token || answer?.access_token;
  if (!value || !/^[\x21-\x7e]+$/.test(value)) throw protocolError(realm, 'gave an answer without a token');
  const life = answer?.expires_in && answer.expires_in > 0 ? answer.expires_in : defaultLifeSeconds;
  return { value, renewAt: started + life * 900 };

  function getSimple(password: Extract<Credential, { kind: 'password' }> | undefined): Promise<HttpResponse> {
    const url = new URL(realm);
    if (service !== undefined) url.searchParams.set('service', service);
    for (const scope of scopes) url.searchParams.append('scope', scope);
    if (password !== undefined) url.searchParams.set('account', password.username);
    const basic = password && Buffer.from(`${password.username}:${password.password}`).toString('base64');
    return http.send({
      method: 'GET',
      url,
      headers: { accept: 'application/json' },
      authorization: basic === undefined ? undefined : `Basic ${basic}`,
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
