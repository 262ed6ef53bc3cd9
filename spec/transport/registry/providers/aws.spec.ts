import { createHash } from 'node:crypto';
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
    if (path.startsWith('/federation/credentials')) {
      if (headers['x-amz-sso_bearer_token'] !== 'sso-token') return 401;
      expect(path).toBe('/federation/credentials?role_name=Admin&account_id=1234');
      return { roleCredentials: { accessKeyId: 'TEMP', secretAccessKey: 'temporary', sessionToken: 'session' } };
    }
    if (path === '/container') return headers.authorization === 'container-token' ? temporary : 403;
    if (body.startsWith('Action=')) {
      const { Action, RoleArn, WebIdentityToken } = formOf(asked);
      if (RoleArn !== 'role') return 400;
      if (Action === 'AssumeRole') {
        const signed = signAwsRequest(
          {
            method,
            url: new URL(path, service.url),
            headers: { accept: 'text/xml', 'content-type': String(headers['content-type']) },
            body,
            region: 'eu-west-1',
            service: 'sts',
            time,
          },
          keys,
        );
        if (headers.authorization !== signed['authorization']) return 403;
      } else if (Action !== 'AssumeRoleWithWebIdentity' || WebIdentityToken !== 'pod-token') return 400;
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

  describe('take a profile', () => {
    const own = `aws_access_key_id = ${keys.accessKeyId}\naws_secret_access_key = ${keys.secretAccessKey}\n`;

    async function ask(config: string, env: Record<string, string> = {}) {
      const { url, asked } = await amazon();
      await mkdir(join(folder, '.aws'), { recursive: true });
      await writeFile(join(folder, '.aws/config'), config);
      const common = { HOME: folder, AWS_PROFILE: 'mine', AWS_ENDPOINT_URL: url, PATH: process.env['PATH']! };
      const options = { env: { ...common, ...env }, now: () => time, machineFolder: '/nowhere' };
      return { credential: registryCredentials(options).get(registry), asked };
    }

    it('that takes a role by another one', async () => {
      const config = `[profile mine]\nrole_arn = role\nsource_profile = base\nexternal_id = agreed\nduration_seconds = 900\n[profile base]\n${own}`;
      const { credential, asked } = await ask(config);
      expect(await credential).toEqual(expected);
      expect(formOf(asked[0]!)).toMatchObject({ Action: 'AssumeRole', ExternalId: 'agreed', DurationSeconds: '900' });
    });

    it('that takes a role by its own keys', async () => {
      const { credential } = await ask(`[profile mine]\nrole_arn = role\nsource_profile = mine\n${own}`);
      expect(await credential).toEqual(expected);
    });

    it('that takes a role by keys of the environment or of a container', async () => {
      const environment = '[profile mine]\nrole_arn = role\ncredential_source = Environment\n';
      expect(await codeOf((await ask(environment)).credential)).toBe('CREDENTIALS');
      const elsewhere = '[profile mine]\nrole_arn = role\ncredential_source = Somewhere\n';
      expect(await codeOf((await ask(elsewhere)).credential)).toBe('CREDENTIALS');
    });

    it('that names a program, without a shell', async () => {
      const program = join(folder, 'my keys');
      const said = { Version: 1, AccessKeyId: keys.accessKeyId, SecretAccessKey: keys.secretAccessKey };
      await writeFile(program, `#!/bin/sh\n[ "$1" = 'a b;$(x)' ] && echo '${JSON.stringify(said)}'\n`, { mode: 0o755 });
      const { credential } = await ask(`[profile mine]\ncredential_process = "${program}" 'a b;$(x)'\n`);
      expect(await credential).toEqual(expected);
    });

    it.each([
      ['fails', 'echo secret >&2; exit 1'],
      ['says nothing that can be read', 'echo secret'],
      ['speaks another version', `echo '{"Version":2,"AccessKeyId":"secret","SecretAccessKey":"secret"}'`],
    ])('whose program %s, and tell nothing of it', async (_, text) => {
      const program = join(folder, 'keys');
      await writeFile(program, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
      const { credential } = await ask(`[profile mine]\ncredential_process = ${program}\n`);
      const error = await credential.catch(error => error);
      expect(error.code).toBe('CREDENTIALS');
      expect(JSON.stringify([error.message, error.details, error.hint])).not.toContain('secret');
    });

    it.each([
      [
        'a session',
        'sso_session = corp',
        'corp',
        '[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://x\n',
      ],
      ['none', 'sso_region = eu-west-1\nsso_start_url = https://x', 'https://x', ''],
    ])('with single sign-on and %s', async (_, lines, key, more) => {
      const config = `[profile mine]\n${lines}\nsso_account_id = 1234\nsso_role_name = Admin\n${more}`;
      expect(await codeOf((await ask(config)).credential)).toBe('CREDENTIALS');
      const cache = join(folder, '.aws/sso/cache');
      await mkdir(cache, { recursive: true });
      const file = join(cache, `${createHash('sha1').update(key).digest('hex')}.json`);
      await writeFile(file, JSON.stringify({ accessToken: 'sso-token', expiresAt: '2026-01-02T04:00:00UTC' }));
      expect(await (await ask(config)).credential).toEqual(expected);
      await writeFile(file, JSON.stringify({ accessToken: 'sso-token', expiresAt: '2026-01-02T03:00:00Z' }));
      const error = await (await ask(config)).credential.catch(error => error);
      expect([error.code, error.hint]).toEqual(['CREDENTIALS', expect.stringContaining('aws sso login')]);
    });

    it.each([
      [
        'leads back to itself',
        '[profile mine]\nrole_arn = role\nsource_profile = b\n[profile b]\nrole_arn = role\nsource_profile = mine\n',
      ],
      [
        'needs a second factor',
        `[profile mine]\nrole_arn = role\nsource_profile = b\nmfa_serial = x\n[profile b]\n${own}`,
      ],
      ['leads nowhere', '[profile mine]\nrole_arn = role\nsource_profile = gone\n'],
    ])('and refuse one that %s', async (_, config) => {
      expect(await codeOf((await ask(config)).credential)).toBe('CREDENTIALS');
    });
  });
});
