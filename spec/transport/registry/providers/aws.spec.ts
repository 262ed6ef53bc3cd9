import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { signAwsRequest } from '../../../../src/transport/registry/providers/aws-signature.js';
import { registryCredentials } from '../../../../src/transport/registry/registry-credentials.js';
import { tempDir } from '../../../support/temp-dir.js';
import { codeOf } from '../connected.js';
import { type AskedService, formOf, serviceDouble } from './service-double.js';

const registry = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';
const time = Date.UTC(2026, 0, 2, 3, 4, 5);
const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };

let folder: string;
beforeEach(async () => {
  folder = await tempDir();
});

describe('signAwsRequest', () => {
  const request = { body: '', region: 'us-east-1', service: 'service', time: Date.UTC(2015, 7, 30, 12, 36, 0) };

  // From the test suite of the signature that AWS publishes.
  it.each([
    ['GET', 'https://example.amazonaws.com/', '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
    ['POST', 'https://example.amazonaws.com/', '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
    [
      'GET',
      'https://example.amazonaws.com/?Param2=value2&Param1=value1',
      'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
    ],
  ])('%s %s', (method, url, signature) => {
    const { authorization, host } = signAwsRequest({ ...request, method, url: new URL(url), headers: {} }, keys);
    expect(host).toBe('example.amazonaws.com');
    expect(authorization).toBe(
      `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=${signature}`,
    );
  });
});

/** Amazon's services: gives passwords to whoever signs with one of the keys, and keys to whoever shows a token. */
async function amazon(): Promise<{ readonly url: string; readonly asked: AskedService[] }> {
  const data = {
    authorizationToken: Buffer.from('AWS:pass:word').toString('base64'),
    expiresAt: time / 1000 + 43_200,
  };
  const temporary = { AccessKeyId: 'TEMP', SecretAccessKey: 'temporary', Token: 'session', Expiration: 'later' };
  const service = await serviceDouble(asked => {
    const { method, path, headers, body } = asked;
    if (path === '/latest/api/token') return headers['x-aws-ec2-metadata-token-ttl-seconds'] ? 'metadata-token' : 400;
    if (path.startsWith('/latest/meta-data/')) {
      if (headers['x-aws-ec2-metadata-token'] !== 'metadata-token') return 401;
      return path.endsWith('/') ? 'my-role' : temporary;
    }
    if (path === '/container') return headers.authorization === 'container-token' ? temporary : 403;
    if (body.startsWith('Action=')) {
      const { Action, RoleArn, WebIdentityToken } = formOf(asked);
      if (Action !== 'AssumeRoleWithWebIdentity' || RoleArn !== 'role' || WebIdentityToken !== 'pod-token') return 400;
      return `<AssumeRoleWithWebIdentityResponse><Credentials><AccessKeyId>TEMP</AccessKeyId>
        <SecretAccessKey>temporary</SecretAccessKey><SessionToken>session</SessionToken></Credentials></AssumeRoleWithWebIdentityResponse>`;
    }
    const target = String(headers['x-amz-target']);
    const [region, name] = target.startsWith('Spencer') ? ['us-east-1', 'ecr-public'] : ['eu-west-1', 'ecr'];
    const temporarily = String(headers.authorization).includes('Credential=TEMP/');
    const expected = signAwsRequest(
      {
        method,
        url: new URL(path, service.url),
        headers: { 'content-type': String(headers['content-type']), 'x-amz-target': target },
        body,
        region: region!,
        service: name!,
        time,
      },
      temporarily ? { accessKeyId: 'TEMP', secretAccessKey: 'temporary', sessionToken: 'session' } : keys,
    );
    if (headers.authorization !== expected['authorization']) return 403;
    return name === 'ecr' ? { authorizationData: [data] } : { authorizationData: data };
  });
  return service;
}

const expected = { kind: 'password', username: 'AWS', password: 'pass:word', lifeSeconds: 43_200, ambient: true };

describe('the registries of Amazon', () => {
  const fixed = { AWS_ACCESS_KEY_ID: keys.accessKeyId, AWS_SECRET_ACCESS_KEY: keys.secretAccessKey };

  it.each([registry, 'public.ecr.aws'])('give passwords for keys in variables (%s)', async name => {
    const { url } = await amazon();
    const env = { ...fixed, AWS_ENDPOINT_URL: url };
    expect(await registryCredentials({ env, now: () => time }).get(name)).toEqual(expected);
  });

  it.each([
    [registry, 'https://api.ecr.eu-west-1.amazonaws.com'],
    ['123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com', 'https://ecr-fips.us-gov-west-1.amazonaws.com'],
    ['123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn', 'https://api.ecr.cn-north-1.amazonaws.com.cn'],
    ['123456789012.dkr-ecr.eu-central-1.on.aws', 'https://ecr.eu-central-1.api.aws'],
    ['public.ecr.aws', 'https://api.ecr-public.us-east-1.amazonaws.com'],
  ])('are asked where they are (%s)', async (name, origin) => {
    const service = await serviceDouble(() => 403);
    const source = registryCredentials({ env: fixed, tokenServices: { [origin]: service.url } });
    expect(await codeOf(source.get(name))).toBe('CREDENTIALS');
    expect(service.asked.map(({ method, path }) => `${method} ${path}`)).toEqual(['POST /']);
  });

  it('take the web identity of a pod', async () => {
    const { url, asked } = await amazon();
    await writeFile(join(folder, 'token'), 'pod-token\n');
    const env = { AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, 'token'), AWS_ROLE_ARN: 'role', AWS_ENDPOINT_URL: url };
    expect(await registryCredentials({ env, now: () => time }).get(registry)).toEqual(expected);
    expect(asked).toHaveLength(2);
    expect(asked[1]!.headers['x-amz-security-token']).toBe('session');
  });

  it('take the role of a container', async () => {
    const { url } = await amazon();
    const AWS_CONTAINER_AUTHORIZATION_TOKEN = 'container-token';
    const env = { AWS_ENDPOINT_URL: url, AWS_CONTAINER_AUTHORIZATION_TOKEN };
    const options = { now: () => time, tokenServices: { 'http://169.254.170.2': url } };
    for (const way of [
      { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/container` },
      { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/container' },
    ]) {
      expect(await registryCredentials({ env: { ...env, ...way }, ...options }).get(registry)).toEqual(expected);
    }
    const far = { ...env, AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://far.example/container' };
    expect(await codeOf(registryCredentials({ env: far, ...options }).get(registry))).toBe('CREDENTIALS');
  });

  it('take the role of a machine that is one of Amazon, in two steps', async () => {
    const { url, asked } = await amazon();
    const options = {
      env: { AWS_ENDPOINT_URL: url },
      now: () => time,
      tokenServices: { 'http://169.254.169.254': url },
      machineFolder: folder,
    };
    expect(await registryCredentials(options).get(registry)).toBeUndefined();
    await writeFile(join(folder, 'sys_vendor'), 'Amazon EC2\n');
    expect(await registryCredentials(options).get(registry)).toEqual(expected);
    expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'PUT /latest/api/token',
      'GET /latest/meta-data/iam/security-credentials/',
      'GET /latest/meta-data/iam/security-credentials/my-role',
      'POST /',
    ]);
    const off = { ...options, env: { ...options.env, AWS_EC2_METADATA_DISABLED: 'true' } };
    expect(await registryCredentials(off).get(registry)).toBeUndefined();
  });

  it('take profiles in files', async () => {
    const { url } = await amazon();
    await mkdir(join(folder, '.aws'));
    await writeFile(join(folder, 'token'), 'pod-token');
    await writeFile(
      join(folder, '.aws/credentials'),
      `[default]\naws_access_key_id = ${keys.accessKeyId}\naws_secret_access_key=${keys.secretAccessKey}\n[other]\naws_access_key_id = x\n`,
    );
    await writeFile(
      join(folder, '.aws/config'),
      `[profile role]\r\nrole_arn = role\r\nweb_identity_token_file = ${join(folder, 'token')}\r\n[profile sso]\nsso_start_url = https://x\n[profile plain]\nregion = y\n`,
    );
    const ask = (profile: Record<string, string>) =>
      registryCredentials({
        env: { HOME: folder, AWS_ENDPOINT_URL: url, ...profile },
        now: () => time,
        machineFolder: '/nowhere',
      }).get(registry);
    expect(await ask({})).toEqual(expected);
    expect(await ask({ AWS_PROFILE: 'role' })).toEqual(expected);
    expect(await codeOf(ask({ AWS_PROFILE: 'sso' }))).toBe('CREDENTIALS');
    expect(await codeOf(ask({ AWS_PROFILE: 'other' }))).toBe('CREDENTIALS');
    expect(await ask({ AWS_PROFILE: 'plain' })).toBeUndefined();
    expect(await ask({ AWS_PROFILE: 'none' })).toBeUndefined();
  });
});
