import type { Options } from 'yargs';
import type { RegistryAccess } from '../src/index.js';
import type { CliContext } from './context.js';
import { proxySettings } from './proxy-settings.js';

/** What commands that speak to registries take. */
export const registryOptions = {
  insecure: {
    type: 'boolean',
    describe: 'Accept plain HTTP and unverified certificates',
  },
} as const satisfies Readonly<Record<string, Options>>;

/** Credentials are those of `docker login`, proxies those of the environment; warnings go to the progress. */
export function registryAccess(
  { insecure }: { readonly insecure?: boolean | undefined },
  { env, home, etc }: CliContext,
  onWarning: (message: string) => void,
): RegistryAccess {
  return { insecure, etc, env: { ...env, HOME: env['HOME'] ?? home }, proxy: proxySettings(env), onWarning };
}
