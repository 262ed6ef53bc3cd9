import { describe, expect, it, onTestFinished } from 'vitest';
import { parseReference } from '../../../../src/oci/reference.js';
import { openLocation } from '../../../../src/transport/open.js';
import { registryCredentials } from '../../../../src/transport/registry/registry-credentials.js';
import { proxyServer } from '../../../support/proxy-server.js';
import { selfSigned } from '../../../support/self-signed.js';
import { putImage, sampleImage } from '../../sample-image.js';
import { codeOf, startRegistry } from '../connected.js';
import { serviceDouble } from './service-double.js';

/** All at once, so that a name that were taken for another's would find something. */
const everything = {
  GITHUB_TOKEN: 'github-token',
  CI_REGISTRY: 'registry.gitlab.example:5050',
  CI_REGISTRY_USER: 'user',
  CI_REGISTRY_PASSWORD: 'gitlab-password',
  CI_JOB_TOKEN: 'job-token',
  CI_DEPENDENCY_PROXY_SERVER: 'gitlab.example:443',
  CI_DEPENDENCY_PROXY_USER: 'proxy-user',
  CI_DEPENDENCY_PROXY_PASSWORD: 'proxy-password',
  AWS_ACCESS_KEY_ID: 'AKID',
  AWS_SECRET_ACCESS_KEY: 'aws-secret',
  AZURE_TENANT_ID: 'tenant',
  AZURE_CLIENT_ID: 'client',
  AZURE_CLIENT_SECRET: 'azure-secret',
};

const password = (username: string, secret: string): unknown => ({
  kind: 'password',
  username,
  password: secret,
  ambient: true,
});

describe('tokens of CI systems', () => {
  it.each([
    ['ghcr.io', {}, password('x-access-token', 'github-token')],
    ['ghcr.io', { GITHUB_ACTOR: 'anna' }, password('anna', 'github-token')],
    ['ghcr.io', { GITHUB_TOKEN: '' }, undefined],
    ['registry.gitlab.example:5050', {}, password('user', 'gitlab-password')],
    ['registry.gitlab.example:5050', { CI_REGISTRY_USER: '' }, password('gitlab-ci-token', 'job-token')],
    ['gitlab.example', {}, password('proxy-user', 'proxy-password')],
    ['gitlab.example:5050', {}, undefined],
    ['registry.gitlab.example', {}, undefined],
    ['docker.io', {}, undefined],
  ])('for %s with %j', async (registry, env, expected) => {
    const source = registryCredentials({ env: { ...everything, ...env } });
    expect(await source.get(registry, { repository: 'a/b' })).toEqual(expected);
  });

  it('are sent to the registry in question', async () => {
    const auth = { kind: 'token', username: 'anna', password: 'github-token' } as const;
    const server = await startRegistry({ auth, tls: selfSigned, uploadLocation: 'relative' });
    const proxy = await proxyServer({ hosts: { 'ghcr.io': Number(server.host.split(':')[1]) } });
    onTestFinished(() => proxy.close());
    const endpoint = await openLocation(
      { transport: 'registry', reference: parseReference('ghcr.io/anna/app:1') },
      {
        access: 'write',
        registry: {
          env: { GITHUB_TOKEN: 'github-token', GITHUB_ACTOR: 'anna' },
          proxy: { https: proxy.url },
          insecure: true,
        },
      },
    );
    onTestFinished(() => endpoint.close());
    await putImage(endpoint, await sampleImage(), '1');
    expect(server.log().length).toBeGreaterThan(3);
  });
});

describe('services that know credentials', () => {
  it.each([
    'ghcr.io.evil.example',
    'evil-ghcr.io',
    'evil.ghcr.io',
    'ghcr.io:5000',
    'registry.gitlab.example.evil.example',
    '123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example',
    '123456789012.dkr.ecr.eu-west-1.amazonaws.com:5000',
    '123456789012.dkr.ecr.evil.example.amazonaws.com',
    'evil.123456789012.dkr.ecr.eu-west-1.amazonaws.com',
    '123456789012xdkr.ecr.eu-west-1.amazonaws.com',
    '12345.dkr.ecr.eu-west-1.amazonaws.com',
    'dkr.ecr.eu-west-1.amazonaws.com',
    'public.ecr.aws.evil.example',
    'evil.public.ecr.aws',
    'gcr.io.evil.example',
    'evilgcr.io',
    'evil.gcr.io',
    'a.b.gcr.io',
    'europe-docker.pkg.dev.evil.example',
    'europe.docker.pkg.dev',
    'evil.europe-docker.pkg.dev',
    'myregistry.azurecr.io.evil.example',
    'evil.myregistry.azurecr.io',
    'myregistryxazurecr.io',
    'myregistry.azurecr.evil',
    'azurecr.io',
  ])('are not asked for %s', async registry => {
    const service = await serviceDouble(() => ({}));
    const env = {
      ...everything,
      AWS_ENDPOINT_URL: service.url,
      AZURE_AUTHORITY_HOST: service.url,
      GCE_METADATA_HOST: new URL(service.url).host,
    };
    const tokenServices = { [`https://${registry}`]: service.url };
    expect(await registryCredentials({ env, tokenServices }).get(registry)).toBeUndefined();
    expect(service.asked).toEqual([]);
  });

  it.each([
    '123456789012.dkr.ecr.eu-west-1.amazonaws.com',
    'public.ecr.aws',
    'europe-docker.pkg.dev',
    'myregistry.azurecr.io',
  ])('are asked for %s when there is something to ask with, and only then', async registry => {
    const service = await serviceDouble(() => 403);
    const ends = {
      AWS_ENDPOINT_URL: service.url,
      AZURE_AUTHORITY_HOST: service.url,
      GCE_METADATA_HOST: new URL(service.url).host,
    };
    const tokenServices = Object.fromEntries(
      [`https://${registry}`, 'https://oauth2.googleapis.com', 'http://169.254.169.254'].map(name => [
        name,
        service.url,
      ]),
    );
    const machineFolder = '/nowhere';
    expect(await registryCredentials({ env: {}, tokenServices, machineFolder }).get(registry)).toBeUndefined();
    expect(service.asked).toEqual([]);
    const error = await registryCredentials({ env: { ...everything, ...ends }, tokenServices, machineFolder })
      .get(registry)
      .catch(error => error);
    expect(error.code).toBe('CREDENTIALS');
    expect(JSON.stringify([error.message, error.details, error.hint])).not.toMatch(/aws-secret|azure-secret/);
    expect(service.asked).toHaveLength(1);
  });

  it('come after what is written down', async () => {
    const env = { ...everything, DOCKER_AUTH_CONFIG: '{"auths":{"ghcr.io":{"username":"me","password":"own"}}}' };
    expect(await registryCredentials({ env }).get('ghcr.io')).toEqual({
      kind: 'password',
      username: 'me',
      password: 'own',
    });
  });

  it('are asked over TLS, unless they are next to us', async () => {
    const env = { ...everything, AWS_ENDPOINT_URL: 'http://aws.example/' };
    const asking = registryCredentials({ env }).get('public.ecr.aws');
    expect(await codeOf(asking)).toBe('CREDENTIALS');
  });
});
