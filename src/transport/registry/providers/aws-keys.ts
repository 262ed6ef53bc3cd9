import * as z from 'zod/mini';
import type { CallOptions } from '../../../stream/bytes.js';
import { awsFiles, readAwsProfile } from './aws-profile.js';
import { type AwsProfileKeysOptions, awsKeysOfProfile, profileName } from './aws-profile-keys.js';
import { assumeRoleWithToken } from './aws-roles.js';
import type { AwsKeys } from './aws-signature.js';
import { type Cloud, readNamedFile } from './cloud.js';

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
  const { AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: arn } = cloud.env;
  const session = cloud.env['AWS_ROLE_SESSION_NAME'] || 'lading';
  const pod: AwsKeySource | undefined =
    file && arn
      ? {
          name: 'AWS_WEB_IDENTITY_TOKEN_FILE',
          get: call => assumeRoleWithToken(cloud, { arn, session, region }, file, call),
        }
      : undefined;
  const [variables, container] = [variablesSource(cloud), containerSource(cloud)];
  const elsewhere: AwsProfileKeysOptions['elsewhere'] = async (name, call) => {
    if (name === 'Environment') return await variables?.get(call);
    if (name === 'EcsContainer') return await container?.get(call);
    return name === 'Ec2InstanceMetadata' ? await (await machineSource(cloud))?.get(call) : undefined;
  };
  const profile = await profileSource(cloud, region, elsewhere);
  const sources = [variables, pod, profile, container, await machineSource(cloud)];
  return sources.filter(source => source !== undefined);
}

function variablesSource({ env }: Cloud): AwsKeySource | undefined {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  if (!accessKeyId || !secretAccessKey) return undefined;
  const sessionToken = env['AWS_SESSION_TOKEN'] || undefined;
  return { name: 'AWS_ACCESS_KEY_ID', get: async () => ({ accessKeyId, secretAccessKey, sessionToken }) };
}

function containerSource(cloud: Cloud): AwsKeySource | undefined {
  const { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: relative, AWS_CONTAINER_CREDENTIALS_FULL_URI: full } = cloud.env;
  if (relative) {
    const url = new URL(relative, 'http://169.254.170.2');
    return { name: 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', get: call => askContainer(cloud, url, call) };
  }
  return full
    ? { name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI', get: call => askContainer(cloud, full, call) }
    : undefined;
}

async function machineSource(cloud: Cloud): Promise<AwsKeySource | undefined> {
  const { env } = cloud;
  if (env['AWS_EC2_METADATA_DISABLED']?.toLowerCase() === 'true') return undefined;
  const named = env['AWS_EC2_METADATA_SERVICE_ENDPOINT'];
  if (!named && (await cloud.machine('sys_vendor')) !== 'Amazon EC2') return undefined;
  const get = (call: CallOptions) => askMachine(cloud, named || 'http://169.254.169.254', call);
  return { name: 'the role of this machine', get };
}

async function profileSource(
  cloud: Cloud,
  region: string,
  elsewhere: AwsProfileKeysOptions['elsewhere'],
): Promise<AwsKeySource | undefined> {
  const name = cloud.env['AWS_PROFILE'] || 'default';
  const files = awsFiles(cloud.env);
  if ((await readAwsProfile(name, files)) === undefined) return undefined;
  const get = (call: CallOptions) => awsKeysOfProfile(name, { cloud, files, region, elsewhere }, call);
  return { name: profileName(name), get };
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
