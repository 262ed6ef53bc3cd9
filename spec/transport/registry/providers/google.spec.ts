import { createVerify, generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { registryCredentials } from '../../../../src/transport/registry/registry-credentials.js';
import { tempDir } from '../../../support/temp-dir.js';
import { formOf, serviceDouble } from './service-double.js';

const { publicKey, privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
const time = Date.UTC(2026, 0, 2, 3, 4, 5);
const expected = {
  kind: 'password',
  username: 'oauth2accesstoken',
  password: 'access',
  lifeSeconds: 3599,
  ambient: true,
};

const external = {
  type: 'external_account',
  audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/other',
  subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
};

let folder: string;
beforeEach(async () => {
  folder = await tempDir();
});

function ask(env: Record<string, string>, tokenServices = {}, registry = 'europe-west1-docker.pkg.dev') {
  return registryCredentials({ env, tokenServices, now: () => time, machineFolder: folder }).get(registry);
}

describe('the registries of Google', () => {
  it.each([
    ['https://oauth2.googleapis.com/token', {}],
    ['https://tokens.example/other', { token_uri: 'https://tokens.example/other' }],
  ])('take a service account that signs for %s', async (audience, more) => {
    const service = await serviceDouble(asked => {
      const { grant_type, assertion = '' } = formOf(asked);
      const [header = '', claims = '', signature = ''] = assertion.split('.');
      const good = createVerify('RSA-SHA256').update(`${header}.${claims}`).verify(publicKey, signature, 'base64url');
      const parse = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString());
      expect([good, grant_type]).toEqual([true, 'urn:ietf:params:oauth:grant-type:jwt-bearer']);
      expect(parse(header)).toEqual({ alg: 'RS256', typ: 'JWT', kid: 'key-1' });
      const iat = time / 1000;
      const scope = 'https://www.googleapis.com/auth/cloud-platform';
      expect(parse(claims)).toEqual({ iss: 'me@x', scope, aud: audience, iat, exp: iat + 3600 });
      return { access_token: 'access', expires_in: 3599, token_type: 'Bearer' };
    });
    const file = join(folder, 'key.json');
    const account = { type: 'service_account', client_email: 'me@x', private_key: privateKey, private_key_id: 'key-1' };
    await writeFile(file, JSON.stringify({ ...account, ...more }));
    const services = { [new URL(audience).origin]: service.url };
    expect(await ask({ GOOGLE_APPLICATION_CREDENTIALS: file }, services)).toEqual(expected);
    expect(await ask({ GOOGLE_APPLICATION_CREDENTIALS: file }, services, 'eu.gcr.io')).toEqual(expected);
    expect(service.asked).toHaveLength(2);
  });

  it('take the login of a user', async () => {
    const service = await serviceDouble(asked => {
      const form = { grant_type: 'refresh_token', client_id: 'id', client_secret: 's', refresh_token: 'r' };
      expect(formOf(asked)).toEqual(form);
      return { access_token: 'access', expires_in: '3599' };
    });
    await mkdir(join(folder, '.config/gcloud'), { recursive: true });
    const user = { type: 'authorized_user', client_id: 'id', client_secret: 's', refresh_token: 'r' };
    await writeFile(join(folder, '.config/gcloud/application_default_credentials.json'), JSON.stringify(user));
    const services = { 'https://oauth2.googleapis.com': service.url };
    expect(await ask({ HOME: folder }, services, 'gcr.io')).toEqual(expected);
  });

  it.each(['text', 'json'])('take the identity of another service, from a file (%s)', async type => {
    const service = await serviceDouble(asked => {
      expect(formOf(asked)).toEqual({
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        audience: external.audience,
        scope: 'https://www.googleapis.com/auth/cloud-platform',
        requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        subject_token_type: external.subject_token_type,
        subject_token: 'their-token',
      });
      return { access_token: 'access', expires_in: 3599 };
    });
    const [file, token] = [join(folder, 'key.json'), join(folder, 'token')];
    await writeFile(token, type === 'text' ? 'their-token\n' : '{"value":"their-token"}');
    const format = { type, subject_token_field_name: 'value' };
    await writeFile(file, JSON.stringify({ ...external, credential_source: { file: token, format } }));
    const services = { 'https://sts.googleapis.com': service.url };
    expect(await ask({ GOOGLE_APPLICATION_CREDENTIALS: file }, services)).toEqual(expected);
  });

  it('take the identity of a job of GitHub, and act for a service account', async () => {
    const service = await serviceDouble(({ method, path, headers, body }) => {
      if (method === 'GET') {
        expect([path, headers.authorization]).toEqual(['/token?audience=x', 'Bearer of-the-job']);
        return { value: 'their-token' };
      }
      if (path === '/v1/token') return body.includes('subject_token=their-token') ? { access_token: 'federated' } : 400;
      expect([path, headers.authorization]).toEqual(['/v1/projects/-/me:generateAccessToken', 'Bearer federated']);
      expect(JSON.parse(body)).toEqual({ scope: ['https://www.googleapis.com/auth/cloud-platform'] });
      return { accessToken: 'access', expireTime: new Date(time + 3_599_000).toISOString() };
    });
    const file = join(folder, 'key.json');
    const source = {
      url: 'https://jobs.example/token?audience=x',
      headers: { authorization: 'Bearer of-the-job' },
      format: { type: 'json', subject_token_field_name: 'value' },
    };
    const account = 'https://iamcredentials.googleapis.com/v1/projects/-/me:generateAccessToken';
    const key = { ...external, service_account_impersonation_url: account, credential_source: source };
    await writeFile(file, JSON.stringify(key));
    const origins = ['https://jobs.example', 'https://sts.googleapis.com', 'https://iamcredentials.googleapis.com'];
    const services = Object.fromEntries(origins.map(origin => [origin, service.url]));
    expect(await ask({ GOOGLE_APPLICATION_CREDENTIALS: file }, services)).toEqual(expected);
  });

  it('take the account of a machine of Google', async () => {
    const service = await serviceDouble(({ path, headers }) => {
      expect(path).toBe('/computeMetadata/v1/instance/service-accounts/default/token');
      return headers['metadata-flavor'] === 'Google' ? { access_token: 'access', expires_in: 3599 } : 403;
    });
    expect(await ask({ GCE_METADATA_HOST: new URL(service.url).host })).toEqual(expected);
    expect(await ask({}, { 'http://169.254.169.254': service.url })).toBeUndefined();
    await writeFile(join(folder, 'product_name'), 'Google Compute Engine\n');
    expect(await ask({}, { 'http://169.254.169.254': service.url })).toEqual(expected);
  });

  it.each([
    ['no JSON', 'secret'],
    ['another form', '{"type":"impersonated_service_account","secret":"secret"}'],
    ['a part of a form', '{"type":"external_account","secret":"secret"}'],
    ['tokens of a program', JSON.stringify({ ...external, credential_source: { executable: { command: 'secret' } } })],
    ['a broken key', JSON.stringify({ type: 'service_account', client_email: 'a', private_key: 'secret' })],
    ['nothing', undefined],
  ])('refuse a file with %s, and quote nothing of it', async (_, text) => {
    const file = join(folder, 'key.json');
    if (text !== undefined) await writeFile(file, text);
    const error = await ask({ GOOGLE_APPLICATION_CREDENTIALS: file }).catch(error => error);
    expect(error.code).toBe('CREDENTIALS');
    expect(JSON.stringify([error.message, error.details])).not.toContain('secret');
  });
});
