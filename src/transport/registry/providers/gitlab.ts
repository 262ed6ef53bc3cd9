import type { CredentialCandidate, CredentialPlace } from '../credentials.js';
import { cloudPlace } from './cloud.js';

type Env = Readonly<Record<string, string | undefined>>;

/** What a job of GitLab CI may use: the registry of its GitLab, and the proxy of its group for Docker Hub. */
export function gitlabPlace(env: Env): CredentialPlace {
  const registry = hostOf(env['CI_REGISTRY']);
  const proxy = hostOf(env['CI_DEPENDENCY_PROXY_SERVER']);
  return cloudPlace(
    'GitLab',
    host => host === registry || host === proxy,
    async host => [
      ...(host === registry ? pairs(env, 'CI_REGISTRY_USER', 'CI_REGISTRY_PASSWORD') : []),
      ...(host === proxy ? pairs(env, 'CI_DEPENDENCY_PROXY_USER', 'CI_DEPENDENCY_PROXY_PASSWORD') : []),
      ...(host === registry ? pairs({ ...env, user: 'gitlab-ci-token' }, 'user', 'CI_JOB_TOKEN') : []),
    ],
  );
}

function pairs(env: Env, userName: string, passwordName: string): CredentialCandidate[] {
  const { [userName]: username, [passwordName]: password } = env;
  if (!username || !password) return [];
  return [{ entry: passwordName, get: async () => ({ kind: 'password', username, password, ambient: true }) }];
}

/** `HOST[:PORT]` as in a reference; GitLab writes the port of TLS out. */
function hostOf(written: string | undefined): string | undefined {
  return (
    written
      ?.replace(/^https?:\/\//, '')
      .replace(/\/.*$/, '')
      .replace(/:443$/, '') || undefined
  );
}
