import * as z from 'zod/mini';
import type { CallOptions } from '../../../stream/bytes.js';
import type { Credential, CredentialCandidate, CredentialPlace } from '../credentials.js';
import { accessTokenSchema, type Cloud, cloudPlace, formRequest, readNamedFile } from './cloud.js';

/** Clouds of Azure, by the ends of the names of their registries. */
const authorities: Readonly<Record<string, string>> = {
  io: 'https://login.microsoftonline.com/',
  cn: 'https://login.chinacloudapi.cn/',
  us: 'https://login.microsoftonline.us/',
};
const hosts = /^[a-z0-9]{5,50}\.azurecr\.(io|cn|us)$/;
const resource = 'https://containerregistry.azure.net';
/** By what firmware tells that a machine is one of Azure. */
const azureMachine = '7783-7084-3265-9085-8269-3286-77';
/** The user that stands for whoever has a token. */
const tokenUser = '00000000-0000-0000-0000-000000000000';

const exchangeSchema = z.looseObject({ refresh_token: z.string().check(z.minLength(1)) });

/** Refresh tokens of Azure's registries, for a principal of Azure that is there. */
export function azurePlace(cloud: Cloud): CredentialPlace {
  return cloudPlace(
    'Azure',
    registry => hosts.test(registry),
    async registry => {
      const authority = cloud.env['AZURE_AUTHORITY_HOST'] || authorities[hosts.exec(registry)![1]!]!;
      const ways = await principals(cloud, authority);
      return ways.slice(0, 1).map(
        ({ name, token }): CredentialCandidate => ({
          entry: name,
          get: async call => exchange(cloud, registry, await token(call), call),
        }),
      );
    },
  );
}

/** A way to a token that says who one is. */
interface Principal {
  readonly name: string;
  token(call: CallOptions): Promise<string>;
}

async function principals(cloud: Cloud, authority: string): Promise<readonly Principal[]> {
  const { env } = cloud;
  const { AZURE_TENANT_ID: tenant, AZURE_CLIENT_ID: client, AZURE_CLIENT_SECRET: secret } = env;
  const { AZURE_FEDERATED_TOKEN_FILE: file, IDENTITY_ENDPOINT: endpoint, IDENTITY_HEADER: header } = env;
  const found: Principal[] = [];
  if (tenant && client) {
    const url = new URL(`${encodeURIComponent(tenant)}/oauth2/v2.0/token`, authority);
    const ask = async (proof: Readonly<Record<string, string>>, call: CallOptions): Promise<string> => {
      const fields = { grant_type: 'client_credentials', client_id: client, scope: `${resource}/.default`, ...proof };
      return (await cloud.ask(formRequest(url, fields), accessTokenSchema, call)).access_token;
    };
    if (secret) found.push({ name: 'AZURE_CLIENT_SECRET', token: call => ask({ client_secret: secret }, call) });
    if (file) {
      const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
      found.push({
        name: 'AZURE_FEDERATED_TOKEN_FILE',
        token: async call =>
          ask({ client_assertion_type: type, client_assertion: await readNamedFile(file, call) }, call),
      });
    }
  }
  const who = client ? { client_id: client } : {};
  const managed = async (url: string, headers: Record<string, string>, version: string, call: CallOptions) => {
    const address = new URL(url);
    const query = { 'api-version': version, resource, ...who };
    for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
    return (await cloud.ask({ method: 'GET', url: address, headers }, accessTokenSchema, call)).access_token;
  };
  if (endpoint && header) {
    const headers = { 'x-identity-header': header };
    found.push({ name: 'IDENTITY_ENDPOINT', token: call => managed(endpoint, headers, '2019-08-01', call) });
  }
  const named = env['AZURE_POD_IDENTITY_AUTHORITY_HOST'];
  if (named || (await cloud.machine('chassis_asset_tag')) === azureMachine) {
    const url = new URL('/metadata/identity/oauth2/token', named || 'http://169.254.169.254').href;
    const token = (call: CallOptions) => managed(url, { metadata: 'true' }, '2018-02-01', call);
    found.push({ name: 'the identity of this machine', token });
  }
  return found;
}

/** The registry itself gives a token of its own for one of Azure. */
async function exchange(cloud: Cloud, registry: string, token: string, call: CallOptions): Promise<Credential> {
  const tenant = cloud.env['AZURE_TENANT_ID'];
  const fields = {
    grant_type: 'access_token',
    service: registry,
    access_token: token,
    ...(tenant ? { tenant } : {}),
  };
  const request = formRequest(`https://${registry}/oauth2/exchange`, fields);
  const { refresh_token } = await cloud.ask(request, exchangeSchema, call);
  return { kind: 'identity', token: refresh_token, username: tokenUser, ambient: true };
}
