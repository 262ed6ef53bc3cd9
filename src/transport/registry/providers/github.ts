import type { CredentialPlace } from '../credentials.js';
import { cloudPlace } from './cloud.js';

/** The token of a job of GitHub Actions, for its registry. */
export function githubPlace(env: Readonly<Record<string, string | undefined>>): CredentialPlace {
  return cloudPlace(
    'GitHub',
    registry => registry === 'ghcr.io',
    async () => {
      const token = env['GITHUB_TOKEN'];
      if (!token) return [];
      const username = env['GITHUB_ACTOR'] || 'x-access-token';
      return [
        { entry: 'GITHUB_TOKEN', get: async () => ({ kind: 'password', username, password: token, ambient: true }) },
      ];
    },
  );
}
