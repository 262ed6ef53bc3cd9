import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { registryCredentials } from '../../../../src/transport/registry/registry-credentials.js';
import { tempDir } from '../../../support/temp-dir.js';
import { type AskedService, formOf, serviceDouble } from './service-double.js';

const registry = 'myregistry.azurecr.io';
const expected = {
  kind: 'identity',
  token: 'registry-token',
  username: '00000000-0000-0000-0000-000000000000',
  ambient: true,
};

let folder: string;
beforeEach(async () => {
  folder = await tempDir();
});

/** Azure's directory, a machine's identity, and the registry's own exchange. */
async function azure(): Promise<{ readonly url: string; readonly asked: AskedService[] }> {
  return await serviceDouble(asked => {
    const { path, headers } = asked;
    const form = formOf(asked);
    if (path === '/oauth2/exchange') {
      const { grant_type, service, access_token } = form;
      if (grant_type !== 'access_token' || service !== registry || access_token !== 'azure-token') return 401;
      return { refresh_token: 'registry-token' };
    }
    const answer = { access_token: 'azure-token', expires_in: 3600 };
    if (path === '/tenant/oauth2/v2.0/token') {
      const scope = 'https://containerregistry.azure.net/.default';
      if (form['grant_type'] !== 'client_credentials' || form['client_id'] !== 'client' || form['scope'] !== scope)
        return 400;
      const federated = form['client_assertion_type'] === 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
      return form['client_secret'] === 'secret' || (federated && form['client_assertion'] === 'jwt') ? answer : 401;
    }
    const { searchParams, pathname } = new URL(path, 'http://x');
    if (searchParams.get('resource') !== 'https://containerregistry.azure.net') return 400;
    if (pathname === '/metadata/identity/oauth2/token') return headers['metadata'] === 'true' ? answer : 403;
    if (pathname === '/msi/token') return headers['x-identity-header'] === 'header' ? answer : 403;
    return 404;
  });
}

describe('the registries of Azure', () => {
  const principal = { AZURE_TENANT_ID: 'tenant', AZURE_CLIENT_ID: 'client' };

  it.each([
    ['a secret', { ...principal, AZURE_CLIENT_SECRET: 'secret' }],
    ['a federated token', { ...principal, AZURE_FEDERATED_TOKEN_FILE: 'token' }],
    ['the identity of a service', { IDENTITY_ENDPOINT: '/msi/token', IDENTITY_HEADER: 'header' }],
    ['the identity of a pod', { AZURE_POD_IDENTITY_AUTHORITY_HOST: '' }],
  ])('give a token of their own for %s', async (_, variables) => {
    const { url, asked } = await azure();
    await writeFile(join(folder, 'token'), 'jwt\n');
    const env: Record<string, string | undefined> = { ...variables, AZURE_AUTHORITY_HOST: url };
    if (env['AZURE_FEDERATED_TOKEN_FILE']) env['AZURE_FEDERATED_TOKEN_FILE'] = join(folder, 'token');
    if (env['IDENTITY_ENDPOINT']) env['IDENTITY_ENDPOINT'] = `${url}/msi/token`;
    if ('AZURE_POD_IDENTITY_AUTHORITY_HOST' in env) env['AZURE_POD_IDENTITY_AUTHORITY_HOST'] = url;
    const tokenServices = { [`https://${registry}`]: url };
    const source = registryCredentials({ env, tokenServices, machineFolder: folder });
    expect(await source.get(registry, { repository: 'a' })).toEqual(expected);
    expect(asked).toHaveLength(2);
  });

  it('take the identity of a machine of Azure', async () => {
    const { url } = await azure();
    const tokenServices = { [`https://${registry}`]: url, 'http://169.254.169.254': url };
    const source = registryCredentials({ env: {}, tokenServices, machineFolder: folder });
    expect(await source.get(registry)).toBeUndefined();
    await writeFile(join(folder, 'chassis_asset_tag'), '7783-7084-3265-9085-8269-3286-77');
    expect(await source.get(registry)).toEqual(expected);
  });

  it.each([
    [registry, 'https://login.microsoftonline.com'],
    ['myregistry.azurecr.cn', 'https://login.chinacloudapi.cn'],
    ['myregistry.azurecr.us', 'https://login.microsoftonline.us'],
  ])('of %s are asked through %s', async (name, origin) => {
    const service = await serviceDouble(() => 403);
    const env = { ...principal, AZURE_CLIENT_SECRET: 'secret' };
    const error = await registryCredentials({ env, tokenServices: { [origin]: service.url } })
      .get(name)
      .catch(error => error);
    expect(error.code).toBe('CREDENTIALS');
    expect(service.asked.map(({ path }) => path)).toEqual(['/tenant/oauth2/v2.0/token']);
  });
});
