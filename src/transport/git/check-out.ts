import { join, relative } from 'node:path';
import { type FetchedCommit, fetchCommit } from './fetch-commit.js';
import { isSshAddress, splitCredentials } from './git-address.js';
import type { GitBudget } from './git-budget.js';
import { at, GitCommands, type GitCommandsOptions, type GitPlace } from './git-commands.js';
import { makeGitDirectory, settleGitDirectory, writeGitFile } from './git-directory.js';
import { repositoryError } from './git-failure.js';
import { gitLinks } from './git-links.js';
import { submoduleFolder, submodulesOf } from './git-submodules.js';
import type { ResolvedRef } from './resolve-ref.js';

export interface CheckOutOptions extends GitCommandsOptions {
  readonly keepGitDir: boolean;
  readonly submodules: boolean;
  readonly budget: GitBudget;
  /** Name of the ref that was asked for, in messages. */
  readonly wanted?: string | undefined;
  /** Looks at the commit before anything of it is written. */
  readonly check?: ((commit: FetchedCommit) => void) | undefined;
}

/** Fetches one commit and writes its files, and then, in the same way, those of its submodules. */
export async function checkOut(ref: ResolvedRef, place: GitPlace, options: CheckOutOptions): Promise<FetchedCommit> {
  options.budget.spend('repositories', 1);
  const git = new GitCommands(options);
  await makeGitDirectory(place, ref.id);
  const commit = await fetchCommit(git, ref.id, place, options.wanted);
  options.check?.(commit);
  const links = await gitLinks(git, commit.id, place, options.budget);
  await git.run([...at(place), 'checkout', '--detach', '--force', '--quiet', commit.id]);
  const submodules = options.submodules ? await submodulesOf(git, commit.id, links, place) : [];
  for (const submodule of submodules) {
    const folder = await submoduleFolder(git, submodule.path, place);
    const inner = { gitDir: join(place.gitDir, 'modules', submodule.name), workTree: folder };
    await checkOutSubmodule(submodule.address, submodule.commit, inner, git, options);
  }
  if (options.keepGitDir) {
    const inside = relative(place.gitDir, place.workTree);
    await settleGitDirectory(git, {
      place,
      commit,
      ref,
      workTreeFrom: inside === '..' ? undefined : inside,
      submodules: submodules.map(({ name, address }) => [name, splitCredentials(address).remote]),
    });
    if (inside !== '..') {
      await writeGitFile(join(place.workTree, '.git'), `gitdir: ${relative(place.workTree, place.gitDir)}\n`);
    }
  }
  return commit;
}

async function checkOutSubmodule(
  address: string,
  commit: string,
  place: GitPlace,
  outer: GitCommands,
  options: CheckOutOptions,
): Promise<void> {
  const { remote, authorization } = splitCredentials(address);
  if (isSshAddress(remote) && !options.ssh) {
    throw repositoryError(outer.repository, 'a submodule is to be fetched over ssh', {
      hint: 'Give the address of the repository for ssh too, or leave submodules out with ?submodules=false.',
    });
  }
  const authorizations = authorization === undefined ? [] : [authorization];
  await checkOut({ id: commit }, place, {
    ...options,
    remote,
    authorizations: [...options.authorizations, ...authorizations],
    wanted: undefined,
    check: undefined,
  });
}
