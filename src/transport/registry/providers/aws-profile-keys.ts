import type { LadingError } from '../../../errors/errors.js';
import type { CallOptions } from '../../../stream/bytes.js';
import { credentialsError } from '../credentials.js';
import { awsKeysOfProcess } from './aws-process.js';
import { type AwsFiles, type AwsSettings, readAwsProfile } from './aws-profile.js';
import { type AwsRole, assumeRole, assumeRoleWithToken } from './aws-roles.js';
import type { AwsKeys } from './aws-signature.js';
import { awsKeysOfSso } from './aws-sso.js';
import type { Cloud } from './cloud.js';

export interface AwsProfileKeysOptions {
  readonly cloud: Cloud;
  readonly files: AwsFiles;
  readonly region: string;
  /** Keys from the places that `credential_source` names. */
  readonly elsewhere: (name: string, call: CallOptions) => Promise<AwsKeys | undefined>;
}

/** Profiles may take roles by profiles that take roles; nobody has reason for more of them. */
const chainLimit = 8;

/**
 * The keys that a profile leads to, by the rules of AWS's own programs: a role that it takes before keys of its own, then
 * single sign-on, then a program.
 * @throws LadingError CREDENTIALS
 */
export async function awsKeysOfProfile(
  name: string,
  options: AwsProfileKeysOptions,
  call: CallOptions,
  chain: readonly string[] = [],
): Promise<AwsKeys> {
  const { cloud, files } = options;
  const source = profileName(name);
  const profile = await readAwsProfile(name, files);
  if (profile === undefined) throw credentialsError(source, 'is not there', 'Check AWS_PROFILE and source_profile.');
  // A profile that names itself means its own keys.
  const arn = chain.at(-1) === name ? undefined : profile.get('role_arn');
  if (arn !== undefined) return await keysOfRole(name, arn, profile, options, call, chain);
  const [accessKeyId, secretAccessKey] = [profile.get('aws_access_key_id'), profile.get('aws_secret_access_key')];
  if (accessKeyId && secretAccessKey) {
    return { accessKeyId, secretAccessKey, sessionToken: profile.get('aws_session_token') };
  }
  if ([...profile.keys()].some(key => key.startsWith('sso_'))) {
    return await awsKeysOfSso(cloud, source, profile, files, call);
  }
  const command = profile.get('credential_process');
  if (command !== undefined) return await awsKeysOfProcess(cloud, source, command, call);
  throw unknownWay(source);
}

async function keysOfRole(
  name: string,
  arn: string,
  profile: AwsSettings,
  options: AwsProfileKeysOptions,
  call: CallOptions,
  chain: readonly string[],
): Promise<AwsKeys> {
  const source = profileName(name);
  const { cloud, region, elsewhere } = options;
  const role: AwsRole = {
    arn,
    region,
    session: profile.get('role_session_name') ?? 'lading',
    externalId: profile.get('external_id'),
    durationSeconds: profile.get('duration_seconds'),
  };
  const file = profile.get('web_identity_token_file');
  if (file !== undefined) return await assumeRoleWithToken(cloud, role, file, call);
  if (profile.has('mfa_serial')) {
    throw credentialsError(
      source,
      'asks for a code of a second factor',
      'Export keys with "aws configure export-credentials".',
    );
  }
  const [other, place] = [profile.get('source_profile'), profile.get('credential_source')];
  if (other !== undefined) {
    if (chain.length >= chainLimit || (chain.includes(other) && other !== name)) {
      throw credentialsError(source, 'leads back to itself', 'Check source_profile of the profiles.');
    }
    return await assumeRole(cloud, role, await awsKeysOfProfile(other, options, call, [...chain, name]), call);
  }
  const keys = place && (await elsewhere(place, call));
  if (!keys) throw unknownWay(source);
  return await assumeRole(cloud, role, keys, call);
}

export function profileName(name: string): string {
  return `the profile ${name} of AWS`;
}

function unknownWay(source: string): LadingError {
  return credentialsError(
    source,
    'comes to its keys in a way that is not known here',
    'Export keys with "aws configure export-credentials --format env", or use the helper docker-credential-ecr-login.',
  );
}
