import type { CallOptions } from '../../../stream/bytes.js';
import { credentialsError } from '../credentials.js';
import { type AwsKeys, signAwsRequest } from './aws-signature.js';
import { type Cloud, formRequest, readNamedFile } from './cloud.js';

export interface AwsRole {
  readonly arn: string;
  readonly session: string;
  readonly region: string;
  /** What the owner of the role has agreed on with who takes it. */
  readonly externalId?: string | undefined;
  readonly durationSeconds?: string | undefined;
}

/** Keys of a role for whoever shows the token in a file. @throws LadingError CREDENTIALS */
export async function assumeRoleWithToken(
  cloud: Cloud,
  role: AwsRole,
  file: string,
  call: CallOptions,
): Promise<AwsKeys> {
  return await askService(
    cloud,
    role,
    { Action: 'AssumeRoleWithWebIdentity', WebIdentityToken: await readNamedFile(file, call) },
    undefined,
    call,
  );
}

/** Keys of a role for whoever has other keys. @throws LadingError CREDENTIALS */
export async function assumeRole(cloud: Cloud, role: AwsRole, keys: AwsKeys, call: CallOptions): Promise<AwsKeys> {
  const { externalId } = role;
  const fields = { Action: 'AssumeRole', ...(externalId === undefined ? {} : { ExternalId: externalId }) };
  return await askService(cloud, role, fields, keys, call);
}

async function askService(
  cloud: Cloud,
  { arn, session, region, durationSeconds }: AwsRole,
  fields: Readonly<Record<string, string>>,
  keys: AwsKeys | undefined,
  call: CallOptions,
): Promise<AwsKeys> {
  const { AWS_ENDPOINT_URL_STS: own, AWS_ENDPOINT_URL: all } = cloud.env;
  const url = new URL(own || all || `https://sts.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`);
  const form = formRequest(url, {
    ...fields,
    Version: '2011-06-15',
    RoleArn: arn,
    RoleSessionName: session,
    ...(durationSeconds === undefined ? {} : { DurationSeconds: durationSeconds }),
  });
  const plain: Record<string, string> = { ...form.headers, accept: 'text/xml' };
  const { body = '' } = form;
  const request = { method: 'POST', url, headers: plain, body, region, service: 'sts', time: cloud.now() } as const;
  const {
    host: _,
    authorization,
    ...headers
  }: Record<string, string> = keys === undefined ? plain : signAwsRequest(request, keys);
  const answer = await cloud.askText({ method: 'POST', url, headers, authorization, body }, call);
  const field = (name: string): string | undefined =>
    new RegExp(`<${name}>\\s*([^<\\s]{1,8192})\\s*</${name}>`).exec(answer)?.[1];
  const [accessKeyId, secretAccessKey] = [field('AccessKeyId'), field('SecretAccessKey')];
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw credentialsError('AWS STS', 'gave an answer without keys', 'Check the name of the role.');
  }
  return { accessKeyId, secretAccessKey, sessionToken: field('SessionToken') };
}
