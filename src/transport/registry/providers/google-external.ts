import * as z from 'zod/mini';
import type { CallOptions } from '../../../stream/bytes.js';
import { basicAuthorization } from '../../http/basic-authorization.js';
import { credentialsError } from '../credentials.js';
import { accessTokenSchema, type Cloud, formRequest, readNamedFile } from './cloud.js';

/** Where the token of another service is that says who this is, and in which form. */
const sourceSchema = z.looseObject({
  file: z.optional(z.string()),
  url: z.optional(z.string()),
  headers: z.optional(z.record(z.string(), z.string())),
  format: z.optional(
    z.looseObject({
      type: z.optional(z.enum(['text', 'json'])),
      subject_token_field_name: z.optional(z.string()),
    }),
  ),
});

/** A key of the type `external_account`: workload identity federation. */
export const externalAccountSchema = z.looseObject({
  type: z.literal('external_account'),
  audience: z.string(),
  subject_token_type: z.string(),
  token_url: z.nullish(z.url()),
  service_account_impersonation_url: z.nullish(z.url()),
  client_id: z.nullish(z.string()),
  client_secret: z.nullish(z.string()),
  credential_source: sourceSchema,
});
export type ExternalAccount = z.infer<typeof externalAccountSchema>;

const impersonatedSchema = z.looseObject({ accessToken: z.string().check(z.minLength(1)), expireTime: z.string() });
const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';

/**
 * An access token for the token of another service (RFC 8693), which a file or an address gives; where the key says so, one
 * of a service account for it.
 * @throws LadingError CREDENTIALS
 */
export async function tokenOfExternalAccount(
  cloud: Cloud,
  key: ExternalAccount,
  scope: string,
  file: string,
  call: CallOptions,
): Promise<z.infer<typeof accessTokenSchema>> {
  const { audience, subject_token_type, client_id, client_secret, service_account_impersonation_url: account } = key;
  const form = formRequest(key.token_url ?? 'https://sts.googleapis.com/v1/token', {
    grant_type: exchange,
    audience,
    scope,
    requested_token_type: accessTokenType,
    subject_token_type,
    subject_token: await subjectToken(cloud, key, file, call),
  });
  const authorization = client_id && client_secret ? basicAuthorization(client_id, client_secret) : undefined;
  const federated = await cloud.ask({ ...form, authorization }, accessTokenSchema, call);
  if (!account) return federated;
  const request = {
    method: 'POST',
    url: account,
    headers: { accept: 'application/json', 'content-type': 'application/json' },
    authorization: `Bearer ${federated.access_token}`,
    body: JSON.stringify({ scope: [scope] }),
  } as const;
  const { accessToken, expireTime } = await cloud.ask(request, impersonatedSchema, call);
  return { access_token: accessToken, expires_in: Math.floor((Date.parse(expireTime) - cloud.now()) / 1000) };
}

async function subjectToken(cloud: Cloud, key: ExternalAccount, file: string, call: CallOptions): Promise<string> {
  const { file: named, url, headers, format } = key.credential_source;
  let text: string;
  if (named) text = await readNamedFile(named, call);
  else if (url) text = await cloud.askText({ method: 'GET', url, headers }, call);
  else {
    throw credentialsError(
      file,
      'takes the token of another service from neither a file nor an address',
      'Tokens of programs and of AWS are not fetched here; use docker-credential-gcr.',
    );
  }
  if (format?.type !== 'json') return text.trim();
  try {
    const token = (JSON.parse(text) as Record<string, unknown>)[format.subject_token_field_name ?? ''];
    if (typeof token === 'string' && token !== '') return token;
  } catch {
    // The text is a secret, whatever is wrong with it.
  }
  throw credentialsError(file, 'names a source of tokens that gives none', 'Check credential_source.');
}
