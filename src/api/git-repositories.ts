import { gitAuthorization } from '../build/git-authorization.js';
import type { GitRepositories, Secrets } from '../build/inputs.js';
import { LadingError } from '../errors/errors.js';
import { formatGitReference } from '../plan/git-reference.js';
import type { CallOptions } from '../stream/bytes.js';
import type { GitRepositories as Repositories } from '../transport/git/git-repositories.js';

export interface GitRepositoriesOptions {
  /** Gives the folder for checkouts, when there is one to make. */
  readonly directory: () => Promise<string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly secrets: Secrets;
  /** Ask no server: then there are none. */
  readonly offline: boolean;
}

/** Git repositories for a build, each commit fetched once. */
export function gitRepositories({ directory, env, secrets, offline }: GitRepositoriesOptions): GitRepositories {
  const authorization = (remote: string, call: CallOptions): Promise<string | undefined> =>
    gitAuthorization(remote, secrets, call);
  let opened: Promise<Repositories> | undefined;
  const open = async (): Promise<Repositories> => {
    const { GitRepositories: Repositories } = await import('../transport/git/git-repositories.js');
    return new Repositories({ directory: await directory(), env, authorization });
  };
  return {
    async checkout(reference, options) {
      if (offline) throw notAsked(formatGitReference(reference));
      opened ??= open();
      return await (await opened).checkout(reference, options);
    },
  };
}

function notAsked(repository: string): LadingError<'GIT_REPOSITORY'> {
  return new LadingError('GIT_REPOSITORY', `${repository}: this build asks no server`, {
    details: { repository },
    hint: 'Build without --offline, or fetch the repository before the build and use its folder.',
  });
}
