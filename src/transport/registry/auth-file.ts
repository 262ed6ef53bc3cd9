import { readFile } from 'node:fs/promises';
import * as z from 'zod/mini';
import { parseDocument } from '../../oci/json.js';
import type { CallOptions } from '../../stream/bytes.js';
import { runCredentialHelper } from './credential-helper.js';
import {
  type Credential,
  type CredentialCandidate,
  type CredentialPlace,
  type CredentialTarget,
  credentialsError,
} from './credentials.js';

const entrySchema = z.looseObject({
  auth: z.nullish(z.string()),
  username: z.nullish(z.string()),
  password: z.nullish(z.string()),
  identitytoken: z.nullish(z.string()),
  registrytoken: z.nullish(z.string()),
});

const fileSchema = z.looseObject({
  auths: z.nullish(z.record(z.string(), z.nullish(entrySchema))),
  credHelpers: z.nullish(z.record(z.string(), z.string())),
  credsStore: z.nullish(z.string()),
});

/** Docker's `config.json`, or the `auth.json` of podman and skopeo: the same form. */
export type AuthFile = z.infer<typeof fileSchema>;
type Entry = z.infer<typeof entrySchema>;

/** The key that Docker has for its Hub, for historical reasons. */
export const hubKey = 'https://index.docker.io/v1/';
/** What it is called in names of images and in files. */
export const hubHosts: readonly string[] = ['docker.io', 'index.docker.io', 'registry-1.docker.io'];

export interface AuthFileOptions {
  /** What helpers run with. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A file with credentials. It is read again each time, so that logging in helps a process that is already running. */
export function authFilePlace(path: string, options: AuthFileOptions): CredentialPlace {
  return {
    name: path,
    async look(target, { signal }) {
      const bytes = await readAuthFile(path, signal);
      return bytes === undefined ? 'is not there' : candidates(parseAuthFile(bytes, path), target, path, options);
    },
  };
}

/** The same as a text. */
export function authTextPlace(name: string, text: string, options: AuthFileOptions): CredentialPlace {
  return {
    name,
    look: async target => candidates(parseAuthFile(Buffer.from(text), name), target, name, options),
  };
}

/** @throws LadingError CREDENTIALS */
export async function readAuthFile(path: string, signal?: AbortSignal): Promise<Buffer | undefined> {
  try {
    return await readFile(path, { signal });
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw credentialsError(path, `cannot be read (${code ?? 'error'})`, 'Check its permissions.');
  }
}

/** @throws LadingError CREDENTIALS, without a cause: a JSON error quotes the file, and the file is full of secrets */
export function parseAuthFile(bytes: Uint8Array, name: string): AuthFile {
  try {
    return parseDocument(bytes, fileSchema, 'file of credentials');
  } catch {
    throw credentialsError(name, 'not a valid configuration', 'Repair it, or remove it and log in again.');
  }
}

/** The helper that keeps the credentials of a registry, by this file. */
export function helperFor(
  file: AuthFile,
  registry: string,
): { readonly name: string; readonly entry: string } | undefined {
  const key = [registry, serverKey(registry)].find(key => ownEntry(file.credHelpers, key));
  if (key !== undefined) return { name: file.credHelpers![key]!, entry: `credHelpers[${JSON.stringify(key)}]` };
  return file.credsStore ? { name: file.credsStore, entry: 'credsStore' } : undefined;
}

/** What helpers and files call a registry. */
export function serverKey(registry: string): string {
  return registry === 'docker.io' ? hubKey : registry;
}

function candidates(
  file: AuthFile,
  target: CredentialTarget,
  place: string,
  { env }: AuthFileOptions,
): readonly CredentialCandidate[] | string {
  const { registry } = target;
  const found: CredentialCandidate[] = [];
  const add = (key: string | undefined): void => {
    const entry = key === undefined ? undefined : ownEntry(file.auths, key);
    // An entry without a content says no more than that a helper knows the registry.
    if (!entry || !Object.values(entry).some(value => typeof value === 'string' && value !== '')) return;
    const name = `auths[${JSON.stringify(key)}]`;
    found.push({ entry: name, get: async () => fromEntry(entry, `${place}: ${name}`) });
  };
  // Who wrote down a part of a registry means it before all of it.
  namespaceKeys(target).forEach(add);
  const helper = helperFor(file, registry);
  if (helper !== undefined) {
    found.push({
      entry: `${helper.entry} = docker-credential-${helper.name}`,
      get: (options: CallOptions) => runCredentialHelper(helper.name, serverKey(registry), { env, ...options }),
    });
  }
  add(hostKey(file, registry));
  return found.length > 0 ? found : `has nothing for ${registry}`;
}

/** `ghcr.io/team/app`, `ghcr.io/team`. */
function namespaceKeys({ registry, repository }: CredentialTarget): string[] {
  const parts = repository === undefined ? [] : repository.split('/');
  return parts.map((_, i) => `${registry}/${parts.slice(0, parts.length - i).join('/')}`);
}

/** The key of exactly this host: first its plain name, then the older forms with scheme and path. */
function hostKey({ auths }: AuthFile, registry: string): string | undefined {
  const hosts = registry === 'docker.io' ? hubHosts : [registry];
  const plain = [serverKey(registry), ...hosts].find(key => ownEntry(auths, key));
  if (plain !== undefined) return plain;
  return Object.keys(auths ?? {}).find(candidate => {
    const withScheme = /^https?:\/\/([^/]+)(?:\/(?:v[12]\/?)?)?$/.exec(candidate);
    return withScheme !== null && hosts.includes(withScheme[1]!.toLowerCase());
  });
}

function ownEntry<T>(map: Readonly<Record<string, T>> | null | undefined, key: string): T | undefined {
  return map && Object.hasOwn(map, key) ? map[key] || undefined : undefined;
}

function fromEntry(entry: Entry, source: string): Credential | undefined {
  const pair = entry.auth ? decodePair(entry.auth) : undefined;
  if (entry.identitytoken) {
    const username = pair?.username ?? entry.username ?? undefined;
    return { kind: 'identity', token: entry.identitytoken, ...(username ? { username } : {}) };
  }
  if (entry.registrytoken) return { kind: 'bearer', token: entry.registrytoken };
  if (entry.auth) {
    if (pair === undefined) throw credentialsError(source, 'cannot be decoded', 'Log in again with "lading login".');
    return { kind: 'password', ...pair };
  }
  if (entry.username && entry.password) {
    return { kind: 'password', username: entry.username, password: entry.password };
  }
  return undefined;
}

function decodePair(auth: string): { username: string; password: string } | undefined {
  const text = Buffer.from(auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon <= 0) return undefined;
  // Docker's own decoder takes trailing zero bytes off.
  return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, '') };
}
