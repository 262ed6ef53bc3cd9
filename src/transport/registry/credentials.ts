import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { LadingError } from '../../errors/errors.js';
import { parseDocument } from '../../oci/json.js';
import type { CallOptions } from '../../stream/bytes.js';
import { runCredentialHelper } from './credential-helper.js';

/** What proves who we are. Never shown, never logged. */
export type Credential =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token. */
  | { readonly kind: 'identity'; readonly token: string }
  /** A bearer token that is sent as it is. */
  | { readonly kind: 'bearer'; readonly token: string };

/** Where credentials come from. `undefined` is: go anonymously. */
export interface CredentialSource {
  /** `registry` as in a reference: `docker.io`, `ghcr.io`, `127.0.0.1:5000`. Throws `CREDENTIALS`. */
  get(registry: string, options?: CallOptions): Promise<Credential | undefined>;
}

export interface DockerCredentialsOptions {
  /** The configuration file; default `$DOCKER_CONFIG/config.json`, else `$HOME/.docker/config.json`. */
  readonly configPath?: string | undefined;
  /** Where `DOCKER_CONFIG`, `HOME` and the `PATH` of helpers are looked up; helpers run with it. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

const entrySchema = z.looseObject({
  auth: z.string().nullish(),
  username: z.string().nullish(),
  password: z.string().nullish(),
  identitytoken: z.string().nullish(),
  registrytoken: z.string().nullish(),
});

const configSchema = z.looseObject({
  auths: z.record(z.string(), entrySchema.nullish()).nullish(),
  credHelpers: z.record(z.string(), z.string()).nullish(),
  credsStore: z.string().nullish(),
});

type DockerConfig = z.infer<typeof configSchema>;

const hubKey = 'https://index.docker.io/v1/';

/**
 * The credentials that `docker login` left: a helper for the registry, else the helper for all, else the file itself.
 * The file is read again each time, so that logging in helps a process that is already running.
 */
export function dockerCredentials(options: DockerCredentialsOptions): CredentialSource {
  const env = options.env ?? {};
  return {
    get: async (registry, { signal } = {}) => {
      const file = options.configPath ?? defaultPath(env);
      const config = file === undefined ? undefined : await readConfig(file, signal);
      if (file === undefined || config === undefined) return undefined;
      const key = registry === 'docker.io' ? hubKey : registry;
      const helper = ownEntry(config.credHelpers, registry, key) ?? (config.credsStore || undefined);
      if (helper !== undefined) {
        const found = await runCredentialHelper(helper, key, { env, signal });
        if (found !== undefined) return found;
      }
      return fromEntry(findEntry(config, registry), registry, file);
    },
  };
}

function defaultPath(env: Readonly<Record<string, string | undefined>>): string | undefined {
  if (env['DOCKER_CONFIG']) return path.join(env['DOCKER_CONFIG'], 'config.json');
  const home = env['HOME'] || env['USERPROFILE'];
  return home ? path.join(home, '.docker', 'config.json') : undefined;
}

async function readConfig(file: string, signal: AbortSignal | undefined): Promise<DockerConfig | undefined> {
  try {
    return parseDocument(await readFile(file, { signal }), configSchema, 'Docker configuration file');
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    // The cause is left out: a JSON error quotes the file, and the file is full of secrets.
    const problem = code === 'INVALID_DOCUMENT' ? 'not a valid configuration' : `cannot be read (${code ?? 'error'})`;
    throw new LadingError('CREDENTIALS', `${file}: ${problem}`, {
      details: { source: file },
      hint: 'Repair the file, or log in again with "docker login".',
    });
  }
}

function ownEntry<T>(map: Readonly<Record<string, T>> | null | undefined, ...keys: string[]): T | undefined {
  const key = keys.find(candidate => map && Object.hasOwn(map, candidate));
  return key === undefined ? undefined : map?.[key] || undefined;
}

/** The entry of exactly this host: first under its plain name, then under the older forms with scheme and path. */
function findEntry(config: DockerConfig, registry: string): z.infer<typeof entrySchema> | undefined {
  const auths = config.auths ?? {};
  const hosts = registry === 'docker.io' ? ['docker.io', 'index.docker.io', 'registry-1.docker.io'] : [registry];
  const plain = ownEntry(auths, ...(registry === 'docker.io' ? [hubKey] : []), ...hosts);
  if (plain) return plain;
  const key = Object.keys(auths).find(candidate => {
    const withScheme = /^https?:\/\/([^/]+)(?:\/(?:v[12]\/?)?)?$/.exec(candidate);
    return withScheme !== null && hosts.includes(withScheme[1]!.toLowerCase());
  });
  return key === undefined ? undefined : (auths[key] ?? undefined);
}

function fromEntry(
  entry: z.infer<typeof entrySchema> | undefined,
  registry: string,
  file: string,
): Credential | undefined {
  if (entry === undefined) return undefined;
  if (entry.identitytoken) return { kind: 'identity', token: entry.identitytoken };
  if (entry.registrytoken) return { kind: 'bearer', token: entry.registrytoken };
  if (entry.auth) {
    const text = Buffer.from(entry.auth, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    if (colon <= 0) {
      throw new LadingError('CREDENTIALS', `${file}: the entry of ${registry} cannot be decoded`, {
        details: { source: file },
        hint: `Log in again with "docker login ${registry}".`,
      });
    }
    // Docker's own decoder takes trailing zero bytes off.
    return { kind: 'password', username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, '') };
  }
  if (entry.username && entry.password) {
    return { kind: 'password', username: entry.username, password: entry.password };
  }
  return undefined;
}
