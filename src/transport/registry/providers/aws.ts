import * as z from 'zod/mini';
import type { CallOptions } from '../../../stream/bytes.js';
import { type Credential, type CredentialPlace, credentialsError } from '../credentials.js';
import { type AwsKeySource, awsKeySources } from './aws-keys.js';
import { signAwsRequest } from './aws-signature.js';
import { type Cloud, cloudPlace } from './cloud.js';

const dataSchema = z.looseObject({ authorizationToken: z.string(), expiresAt: z.nullish(z.number()) });
const answerSchema = z.looseObject({
  authorizationData: z.union([dataSchema, z.array(dataSchema).check(z.minLength(1))]),
});

/** The service that gives out passwords for a registry. */
interface EcrService {
  readonly url: string;
  readonly region: string;
  readonly service: string;
  readonly target: string;
}

/** Passwords for Amazon's registries, private and public, for keys of AWS that are there. */
export function awsPlace(cloud: Cloud): CredentialPlace {
  return cloudPlace(
    'AWS',
    registry => ecrService(registry) !== undefined,
    async registry => {
      const service = ecrService(registry)!;
      const sources = await awsKeySources(cloud, service.region);
      // As with AWS's own programs the first has the word, whether or not its keys are good.
      return sources.slice(0, 1).map(source => ({
        entry: source.name,
        get: (call: CallOptions) => password(cloud, service, source, call),
      }));
    },
  );
}

/** Only of names that are exactly Amazon's. */
function ecrService(registry: string): EcrService | undefined {
  if (registry === 'public.ecr.aws') {
    const target = 'SpencerFrontendService.GetAuthorizationToken';
    return {
      url: 'https://api.ecr-public.us-east-1.amazonaws.com/',
      region: 'us-east-1',
      service: 'ecr-public',
      target,
    };
  }
  const pattern =
    /^\d{12}\.dkr[.-]ecr(-fips)?\.([a-z]{2}(?:-[a-z]{2,10}){1,3}-\d{1,2})\.(amazonaws\.com|amazonaws\.com\.cn|amazonaws\.eu|on\.aws)$/;
  const [, fips, region, domain] = pattern.exec(registry) ?? [];
  if (region === undefined) return undefined;
  const name = fips ? 'ecr-fips' : domain === 'on.aws' ? 'ecr' : 'api.ecr';
  return {
    url: `https://${name}.${region}.${domain === 'on.aws' ? 'api.aws' : domain}/`,
    region,
    service: 'ecr',
    target: 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken',
  };
}

async function password(
  cloud: Cloud,
  { url: known, region, service, target }: EcrService,
  source: AwsKeySource,
  call: CallOptions,
): Promise<Credential> {
  const { env } = cloud;
  const own = env[service === 'ecr' ? 'AWS_ENDPOINT_URL_ECR' : 'AWS_ENDPOINT_URL_ECR_PUBLIC'];
  const url = new URL(own || env['AWS_ENDPOINT_URL'] || known);
  const body = '{}';
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target };
  const keys = await source.get(call);
  const request = { method: 'POST', url, headers, body, region, service, time: cloud.now() } as const;
  const { host: _, authorization, ...signed } = signAwsRequest(request, keys);
  const answer = await cloud.ask({ method: 'POST', url, headers: signed, authorization, body }, answerSchema, call);
  const [data] = [answer.authorizationData].flat();
  const [username, ...rest] = Buffer.from(data!.authorizationToken, 'base64').toString('utf8').split(':');
  if (!username || rest.length === 0) throw credentialsError(url.host, 'gave an answer that is not one', 'Try again.');
  const lifeSeconds = data!.expiresAt ? Math.max(60, data!.expiresAt - cloud.now() / 1000) : undefined;
  return { kind: 'password', username, password: rest.join(':'), lifeSeconds, ambient: true };
}
