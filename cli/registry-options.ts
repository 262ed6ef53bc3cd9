import { resolve } from 'node:path';
import type { Options } from 'yargs';
import type { RegistryAccess } from '../src/index.js';
import type { CliContext } from './context.js';
import { proxySettings } from './proxy-settings.js';
import { type TransferArguments, transferSettings } from './transfer-options.js';

/** What commands that speak to registries take. */
export const registryOptions = {
  insecure: {
    type: 'boolean',
    describe: 'Accept plain HTTP and unverified certificates',
  },
  authfile: {
    type: 'string',
    requiresArg: true,
    describe: 'File with credentials, instead of all other places',
  },
  'registry-config': {
    type: 'string',
    requiresArg: true,
    describe: 'File that says where registries and their mirrors are',
  },
  offline: { type: 'boolean', describe: 'Ask no server' },
} as const satisfies Readonly<Record<string, Options>>;

/** Said by commands that can do without servers. */
export const offlineNote = 'offline: no server is asked';

export interface RegistryArguments extends TransferArguments {
  readonly insecure?: boolean | undefined;
  readonly authfile?: string | undefined;
  readonly registryConfig?: string | undefined;
  readonly offline?: boolean | undefined;
}

/** Credentials are those of Docker, podman and skopeo, proxies those of the environment; warnings go to the progress. */
export function registryAccess(
  { insecure, offline, authfile, registryConfig, ...transfers }: RegistryArguments,
  { env, home, etc, cwd, now }: CliContext,
  onWarning: (message: string) => void,
): RegistryAccess {
  return {
    ...transferSettings(transfers),
    insecure,
    offline,
    etc,
    env: { ...env, HOME: env['HOME'] ?? home },
    authFile: authfile === undefined ? undefined : resolve(cwd, authfile),
    registryConfig: registryConfig === undefined ? undefined : resolve(cwd, registryConfig),
    proxy: proxySettings(env),
    now,
    onWarning,
  };
}
