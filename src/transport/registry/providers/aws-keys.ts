import path from 'node:path';
import * as z from 'zod/mini';
import type { CallOptions } from '../../../stream/bytes.js';
import { homeFolder } from '../config-folder.js';
import { credentialsError } from '../credentials.js';
import { readAwsProfile } from './aws-profile.js';
import type { AwsKeys } from './aws-signature.js';
import { type Cloud, formRequest, readNamedFile } from './cloud.js';

/** One way to come to keys of AWS. */
export interface AwsKeySource {
  /** As people know it. */
  readonly name: string;
  /** @throws LadingError CREDENTIALS */
  get(call: CallOptions): Promise<AwsKeys>;
}

const temporaryKeys = z.looseObject({ AccessKeyId: z.string(), SecretAccessKey: z.string(), Token: z.string() });

/**
 * Where keys of AWS can come from, in the order of its own programs: variables, the web identity of a pod, the profile in
 * the files of the user, the service of a container, the service of a machine. Nobody is asked before `get`.
 */
export async function awsKeySources(cloud: Cloud, region: string): Promise<readonly AwsKeySource[]> {
  const { env } = cloud;
  const sources: AwsKeySource[] = [];
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  if (accessKeyId && secretAccessKey) {
    const sessionToken = env['AWS_SESSION_TOKEN'] || undefined;
    sources.push({ name: 'AWS_ACCESS_KEY_ID', get: async () => ({ accessKeyId, secretAccessKey, sessionToken }) });
  }
  const { AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: role } = env;
  if (file && role) {
    const session = env['AWS_ROLE_SESSION_NAME'] || 'lading';
    const get = (call: CallOptions) => assumeRole(cloud, { file, role, session, region }, call);
    sources.push({ name: 'AWS_WEB_IDENTITY_TOKEN_FILE', get });
  }
  const profile = await profileSource(cloud, region);
  if (profile !== undefined) sources.push(profile);
  const { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: relative, AWS_CONTAINER_CREDENTIALS_FULL_URI: full } = env;
  if (relative) {
    const url = new URL(relative, 'http://169.254.170.2');
    sources.push({ name: 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', get: call => askContainer(cloud, url, call) });
  } else if (full) {
    sources.push({ name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI', get: call => askContainer(cloud, full, call) });
  }
  if (env['AWS_EC2_METADATA_DISABLED']?.toLowerCase() !== 'true') {
    const named = env['AWS_EC2_METADATA_SERVICE_ENDPOINT'];
    if (named || (await cloud.machine('sys_vendor')) === 'Amazon EC2') {
      const get = (call: CallOptions) => askMachine(cloud, named || 'http://169.254.169.254', call);
      sources.push({ name: 'the role of this machine', get });
    }
  }
  return sources;
}

async function profileSource(cloud: Cloud, region: string): Promise<AwsKeySource | undefined> {
  const { env } = cloud;
  const home = homeFolder(env);
  const folder = home && path.join(home, '.aws');
  const name = env['AWS_PROFILE'] || 'default';
  const files = {
    credentials: env['AWS_SHARED_CREDENTIALS_FILE'] || (folder && path.join(folder, 'credentials')),
    config: env['AWS_CONFIG_FILE'] || (folder && path.join(folder, 'config')),
  };
  const profile = await readAwsProfile(name, files);
  if (profile === undefined) return undefined;
  const source = `the profile ${name} of AWS`;
  return {
    name: source,
    async get(call) {
      const accessKeyId = profile.get('aws_access_key_id');
      const secretAccessKey = profile.get('aws_secret_access_key');
      if (accessKeyId && secretAccessKey) {
        return { accessKeyId, secretAccessKey, sessionToken: profile.get('aws_session_token') };
      }
      const file = profile.get('web_identity_token_file');
      const role = profile.get('role_arn');
      if (file && role) {
        const session = profile.get('role_session_name') ?? 'lading';
        return await assumeRole(cloud, { file, role, session, region }, call);
      }
      throw credentialsError(
        source,
        'comes to its keys in a way that is not known here',
        'Export keys with "aws configure export-credentials --format env", or use the helper docker-credential-ecr-login.',
      );
    },
  };
}

interface Assumption {
  readonly file: string;
  readonly role: string;
  readonly session: string;
  readonly region: string;
}

async function assumeRole(cloud: Cloud, wanted: Assumption, call: CallOptions): Promise<AwsKeys> {
  const { file, role, session, region } = wanted;
  const { AWS_ENDPOINT_URL_STS: own, AWS_ENDPOINT_URL: all } = cloud.env;
  const service = `https://sts.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
  const request = formRequest(own || all || service, {
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: role,
    RoleSessionName: session,
    WebIdentityToken: await readNamedFile(file, call),
  });
  const answer = await cloud.askText({ ...request, headers: { ...request.headers, accept: 'text/xml' } }, call);
  const field = (name: string): string | undefined =>
    new RegExp(`<${name}>\\s*([^<\\s]{1,8192})\\s*</${name}>`).exec(answer)?.[1];
  const [accessKeyId, secretAccessKey] = [field('AccessKeyId'), field('SecretAccessKey')];
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw credentialsError('AWS STS', 'gave an answer without keys', 'Check AWS_ROLE_ARN.');
  }
  return { accessKeyId, secretAccessKey, sessionToken: field('SessionToken') };
}

async function askContainer(cloud: Cloud, url: string | URL, call: CallOptions): Promise<AwsKeys> {
  const { AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file, AWS_CONTAINER_AUTHORIZATION_TOKEN: token } = cloud.env;
  const authorization = file ? await readNamedFile(file, call) : token || undefined;
  const answer = await cloud.ask({ method: 'GET', url, authorization }, temporaryKeys, call);
  return fromAnswer(answer);
}

/** The second version of the protocol: a token first, so that nobody is tricked into asking. */
async function askMachine(cloud: Cloud, endpoint: string, call: CallOptions): Promise<AwsKeys> {
  const at = (place: string): URL => new URL(`/latest/${place}`, endpoint);
  const headers = { 'x-aws-ec2-metadata-token-ttl-seconds': '60' };
  const token = await cloud.askText({ method: 'PUT', url: at('api/token'), headers }, call);
  const known = { 'x-aws-ec2-metadata-token': token.trim() };
  const list = at('meta-data/iam/security-credentials/');
  const [role = ''] = (await cloud.askText({ method: 'GET', url: list, headers: known }, call)).split('\n');
  const url = new URL(encodeURIComponent(role.trim()), list);
  return fromAnswer(await cloud.ask({ method: 'GET', url, headers: known }, temporaryKeys, call));
}

function fromAnswer({ AccessKeyId, SecretAccessKey, Token }: z.infer<typeof temporaryKeys>): AwsKeys {
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: Token };
}
