import type { ProxySettings } from '../src/index.js';
import type { CliContext } from './context.js';

/** The proxies that the environment names, in capitals or small letters, the capitals first as Docker has it. */
export function proxySettings(env: CliContext['env']): ProxySettings {
  const either = (name: string): string | undefined => env[name] || env[name.toLowerCase()];
  return { http: either('HTTP_PROXY'), https: either('HTTPS_PROXY'), noProxy: either('NO_PROXY') };
}
