import path from 'node:path';
import { authFilePlace, authTextPlace } from './auth-file.js';
import { configFolder, homeFolder } from './config-folder.js';
import type { CredentialPlace } from './credentials.js';
import { helpersPlace } from './helpers-place.js';
import { variablesPlace } from './variables-place.js';

export interface CredentialPlacesOptions {
  /** A file that is looked at instead of everything else. */
  readonly authFile?: string | undefined;
  /** Where variables are looked up; helpers run with it. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Where the machine's configuration is: `/etc`. Default: it is not read. */
  readonly etc?: string | undefined;
}

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Where credentials are looked for, in this order: variables for the registry alone, what else the environment names, then
 * where podman and skopeo keep them, then where Docker does.
 */
export function credentialPlaces({ authFile, env = {}, etc }: CredentialPlacesOptions): readonly CredentialPlace[] {
  const options = { env };
  if (authFile !== undefined) return [authFilePlace(authFile, options)];
  const { DOCKER_AUTH_CONFIG: text, REGISTRY_AUTH_FILE: named } = env;
  const docker = dockerConfigFile(env);
  const files = env['DOCKER_CONFIG'] ? [docker, ...containersAuthFiles(env)] : [...containersAuthFiles(env), docker];
  return [
    variablesPlace(env),
    text ? authTextPlace('DOCKER_AUTH_CONFIG', text, options) : notSet('DOCKER_AUTH_CONFIG'),
    named ? authFilePlace(named, options) : notSet('REGISTRY_AUTH_FILE'),
    helpersPlace('before', { env, etc }),
    ...files.filter(file => file !== undefined && file !== named).map(file => authFilePlace(file!, options)),
    helpersPlace('after', { env, etc }),
  ];
}

function notSet(name: string): CredentialPlace {
  return { name, look: async () => 'is not set' };
}

/** Where a login is kept, for all of a registry or for a part of it that Docker would take for all. */
export function loginFile({ authFile, env = {} }: CredentialPlacesOptions, part: boolean): string | undefined {
  if (authFile !== undefined) return authFile;
  return env['REGISTRY_AUTH_FILE'] || (part ? containersAuthFiles(env)[0] : dockerConfigFile(env));
}

/** `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`. */
function dockerConfigFile(env: Env): string | undefined {
  if (env['DOCKER_CONFIG']) return path.join(env['DOCKER_CONFIG'], 'config.json');
  const home = homeFolder(env);
  return home && path.join(home, '.docker', 'config.json');
}

/** Where podman and skopeo keep credentials: first until the next start of the machine, then for good. */
function containersAuthFiles(env: Env): readonly string[] {
  const folders = [env['XDG_RUNTIME_DIR'], configFolder(env)];
  return folders.filter(Boolean).map(folder => path.join(folder!, 'containers', 'auth.json'));
}
