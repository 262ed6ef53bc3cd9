import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod/mini';
import type { CallOptions } from '../../../stream/bytes.js';
import { credentialsError } from '../credentials.js';
import { type AwsFiles, type AwsSettings, readAwsSsoSession } from './aws-profile.js';
import type { AwsKeys } from './aws-signature.js';
import type { Cloud } from './cloud.js';

const tokenSchema = z.looseObject({ accessToken: z.string().check(z.minLength(1)), expiresAt: z.string() });
const answerSchema = z.looseObject({
  roleCredentials: z.looseObject({
    accessKeyId: z.string(),
    secretAccessKey: z.string(),
    sessionToken: z.nullish(z.string()),
  }),
});

/**
 * Keys for a profile with single sign-on, by the token that `aws sso login` has left. It is not renewed here.
 * @throws LadingError CREDENTIALS
 */
export async function awsKeysOfSso(
  cloud: Cloud,
  source: string,
  profile: AwsSettings,
  files: AwsFiles,
  call: CallOptions,
): Promise<AwsKeys> {
  const session = profile.get('sso_session');
  const common = session === undefined ? profile : await readAwsSsoSession(session, files);
  const [startUrl, region] = [common.get('sso_start_url'), common.get('sso_region')];
  const [account, role] = [profile.get('sso_account_id'), profile.get('sso_role_name')];
  if (!startUrl || !region || !account || !role || !/^[a-z0-9-]{1,40}$/.test(region)) {
    throw credentialsError(source, 'its single sign-on is not complete', 'Run "aws configure sso".');
  }
  const token = await cachedToken(cloud, source, session ?? startUrl, files);
  const { AWS_ENDPOINT_URL_SSO: own, AWS_ENDPOINT_URL: all } = cloud.env;
  const url = new URL('/federation/credentials', own || all || `https://portal.sso.${region}.amazonaws.com`);
  url.searchParams.set('role_name', role);
  url.searchParams.set('account_id', account);
  const headers = { accept: 'application/json', 'x-amz-sso_bearer_token': token };
  const { roleCredentials } = await cloud.ask({ method: 'GET', url, headers }, answerSchema, call);
  const { accessKeyId, secretAccessKey, sessionToken } = roleCredentials;
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
}

async function cachedToken(cloud: Cloud, source: string, key: string, { folder }: AwsFiles): Promise<string> {
  const name = `${createHash('sha1').update(key).digest('hex')}.json`;
  try {
    const text = await readFile(path.join(folder ?? '', 'sso', 'cache', name), 'utf8');
    const { accessToken, expiresAt } = tokenSchema.parse(JSON.parse(text));
    // Some versions write `UTC` for `Z`.
    if (Date.parse(expiresAt.replace(/UTC$/, 'Z')) > cloud.now()) return accessToken;
  } catch {
    // Not there or not whole: in any case there is no login.
  }
  throw credentialsError(source, 'nobody is logged in any more', 'Run "aws sso login" for the profile.');
}
