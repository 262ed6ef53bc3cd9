import path from 'node:path';
import { authFilePlace, authTextPlace } from './auth-file.js';
import { configFolder, homeFolder } from './config-folder.js';
import type { CredentialPlace } from './credentials.js';

export interface CredentialPlacesOptions {
  /** A file that is looked at instead of everything else. */
  readonly authFile?: string | undefined;
  /** Where variables are looked up; helpers run with it. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/**
 * Where credentials are looked for, in this order: what the environment names, then where podman and skopeo keep them,
 * then where Docker does.
 */
export function credentialPlaces({ authFile, env = {} }: CredentialPlacesOptions): readonly CredentialPlace[] {
  const options = { env };
  if (authFile !== undefined) return [authFilePlace(authFile, options)];
  const text = env['DOCKER_AUTH_CONFIG'];
  const files = [env['REGISTRY_AUTH_FILE'], ...defaultAuthFiles(env)].filter(file => file !== undefined && file !== '');
  return [
    ...(text ? [authTextPlace('DOCKER_AUTH_CONFIG', text, options)] : []),
    ...[...new Set(files as string[])].map(file => authFilePlace(file, options)),
  ];
}

/** The files that are there without being named, or that a folder in the environment names. */
function defaultAuthFiles(env: Readonly<Record<string, string | undefined>>): ReadonlyArray<string | undefined> {
  const docker = dockerConfigFile(env);
  return env['DOCKER_CONFIG'] ? [docker, ...containersAuthFiles(env)] : [...containersAuthFiles(env), docker];
}

/** `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`. */
export function dockerConfigFile(env: Readonly<Record<string, string | undefined>>): string | undefined {
  if (env['DOCKER_CONFIG']) return path.join(env['DOCKER_CONFIG'], 'config.json');
  const home = homeFolder(env);
  return home && path.join(home, '.docker', 'config.json');
}

/** Where podman and skopeo keep credentials: first until the next start of the machine, then for good. */
export function containersAuthFiles(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const runtime = env['XDG_RUNTIME_DIR'];
  return [runtime, configFolder(env)].filter(Boolean).map(folder => path.join(folder!, 'containers', 'auth.json'));
}
