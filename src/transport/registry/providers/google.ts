import { createSign } from 'node:crypto';
import { access } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod/mini';
import type { CallOptions } from '../../../stream/bytes.js';
import { configFolder } from '../config-folder.js';
import { type Credential, type CredentialCandidate, type CredentialPlace, credentialsError } from '../credentials.js';
import { accessTokenSchema, type Cloud, cloudPlace, formRequest, readNamedFile } from './cloud.js';
import { externalAccountSchema, tokenOfExternalAccount } from './google-external.js';

const hosts = /^(?:(?:us|eu|asia|marketplace)\.)?gcr\.io$|^[a-z][a-z0-9-]{1,60}-docker\.pkg\.dev$/;
const scope = 'https://www.googleapis.com/auth/cloud-platform';
const tokenService = 'https://oauth2.googleapis.com/token';

const keySchema = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('service_account'),
    client_email: z.string(),
    private_key: z.string(),
    private_key_id: z.nullish(z.string()),
    token_uri: z.nullish(z.url()),
  }),
  z.looseObject({
    type: z.literal('authorized_user'),
    client_id: z.string(),
    client_secret: z.string(),
    refresh_token: z.string(),
    token_uri: z.nullish(z.url()),
  }),
  externalAccountSchema,
]);
type Key = z.infer<typeof keySchema>;

/** Access tokens for Google's registries: for a key in a file, or from the machine itself. */
export function googlePlace(cloud: Cloud): CredentialPlace {
  return cloudPlace(
    'Google Cloud',
    registry => hosts.test(registry),
    async () => (await candidates(cloud)).slice(0, 1),
  );
}

async function candidates(cloud: Cloud): Promise<readonly CredentialCandidate[]> {
  const { env } = cloud;
  const found: CredentialCandidate[] = [];
  const named = env['GOOGLE_APPLICATION_CREDENTIALS'];
  if (named) found.push({ entry: 'GOOGLE_APPLICATION_CREDENTIALS', get: call => fromFile(cloud, named, call) });
  const settings = configFolder(env);
  const folder = env['CLOUDSDK_CONFIG'] || (settings && path.join(settings, 'gcloud'));
  const usual = folder && path.join(folder, 'application_default_credentials.json');
  if (usual && (await isThere(usual))) found.push({ entry: usual, get: call => fromFile(cloud, usual, call) });
  const host = env['GCE_METADATA_HOST'];
  if (host || /^Google/.test(await cloud.machine('product_name'))) {
    found.push({
      entry: 'the account of this machine',
      get: call => fromMachine(cloud, host || '169.254.169.254', call),
    });
  }
  return found;
}

async function fromMachine(cloud: Cloud, host: string, call: CallOptions): Promise<Credential> {
  const url = `http://${host}/computeMetadata/v1/instance/service-accounts/default/token`;
  const headers = { 'metadata-flavor': 'Google' };
  return toCredential(await cloud.ask({ method: 'GET', url, headers }, accessTokenSchema, call));
}

async function fromFile(cloud: Cloud, file: string, call: CallOptions): Promise<Credential> {
  const text = await readNamedFile(file, call);
  let key: Key;
  try {
    key = keySchema.parse(JSON.parse(text));
  } catch {
    // The cause would quote the file.
    const hint =
      'Keys of service accounts, of users and of external accounts are known; for others use docker-credential-gcr.';
    throw credentialsError(file, 'not a key of a form that is known', hint);
  }
  if (key.type === 'external_account') return toCredential(await tokenOfExternalAccount(cloud, key, scope, file, call));
  const service = key.token_uri ?? tokenService;
  const fields: Readonly<Record<string, string>> =
    key.type === 'service_account'
      ? {
          grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
          assertion: assertion(key, service, cloud.now(), file),
        }
      : {
          grant_type: 'refresh_token',
          client_id: key.client_id,
          client_secret: key.client_secret,
          refresh_token: key.refresh_token,
        };
  return toCredential(await cloud.ask(formRequest(service, fields), accessTokenSchema, call));
}

/** What a service account says of itself, signed with its key (RFC 7523). */
function assertion(
  key: Extract<Key, { type: 'service_account' }>,
  audience: string,
  now: number,
  file: string,
): string {
  const issued = Math.floor(now / 1000);
  const header = { alg: 'RS256', typ: 'JWT', ...(key.private_key_id ? { kid: key.private_key_id } : {}) };
  const claims = { iss: key.client_email, scope, aud: audience, iat: issued, exp: issued + 3600 };
  const text = [header, claims].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  try {
    return `${text}.${createSign('RSA-SHA256').update(text).sign(key.private_key).toString('base64url')}`;
  } catch {
    throw credentialsError(file, 'its private key cannot be used', 'Make a new key for the service account.');
  }
}

function toCredential({ access_token, expires_in }: z.infer<typeof accessTokenSchema>): Credential {
  const seconds = Number(expires_in ?? Number.NaN);
  return {
    kind: 'password',
    username: 'oauth2accesstoken',
    password: access_token,
    ...(seconds > 0 ? { lifeSeconds: seconds } : {}),
    ambient: true,
  };
}

async function isThere(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  );
}
