import { lstat, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LadingError } from '../../errors/errors.js';
import { ioError } from '../../errors/io-error.js';
import type { CallOptions } from '../../stream/bytes.js';
import { checkOut } from './check-out.js';
import { splitCredentials, tokenScope } from './git-address.js';
import { GitBudget, type GitLimits, gitLimits } from './git-budget.js';
import { GitCommands } from './git-commands.js';
import { type GitAuthorization, gitEnvironment } from './git-environment.js';
import { gitFailure } from './git-failure.js';
import { runGit } from './git-process.js';
import type { GitCheckout, GitRequest } from './git-request.js';
import { checkChecksum, resolveRef } from './resolve-ref.js';

export interface GitRepositoriesOptions {
  /** Where checkouts are kept; whoever gives the folder removes it. */
  readonly directory: string;
  /** Of the user: where git is, how the network is reached, and the SSH agent. Most of it is left behind. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What a server of the web is asked with, instead of the user and password in the address. */
  readonly authorization?: ((remote: string, options: CallOptions) => Promise<string | undefined>) | undefined;
  readonly limits?: GitLimits | undefined;
}

export interface GitCheckoutOptions extends CallOptions {
  /** Bytes received so far. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

/** The first that takes its configuration from the environment. */
const oldestVersion = [2, 31] as const;

/**
 * Checks commits of Git repositories out, each once, with the program git. Nothing of the user's configuration counts,
 * nothing of a repository is executed, and secrets are on no command line.
 */
export class GitRepositories {
  readonly #options: GitRepositoriesOptions;
  readonly #checkouts = new Map<string, Promise<GitCheckout>>();
  #checked: Promise<void> | undefined;

  constructor(options: GitRepositoriesOptions) {
    this.#options = options;
  }

  /**
   * @throws LadingError GIT_REPOSITORY, DIGEST_MISMATCH, PATH_NOT_FOUND and PATH_INVALID for the subdirectory,
   * SIZE_EXCEEDED, PROGRAM_MISSING, UNSUPPORTED for a git that is too old, IO; the signal's reason
   */
  async checkout(request: GitRequest, options: GitCheckoutOptions = {}): Promise<GitCheckout> {
    const keepGitDir = request.keepGitDir === true && request.subdirectory === undefined;
    const whole = { ...request, keepGitDir, submodules: request.submodules ?? true, subdirectory: undefined };
    const key = JSON.stringify(Object.entries(whole).sort());
    const known = this.#checkouts.get(key) ?? this.#checkOut(whole, options);
    this.#checkouts.set(key, known);
    // What failed may be asked for again.
    known.catch(() => this.#checkouts.delete(key));
    const { path, ...commit } = await known;
    return { ...commit, path: await folderInside(path, request.subdirectory) };
  }

  async #checkOut(
    request: GitRequest & { readonly keepGitDir: boolean; readonly submodules: boolean },
    { signal, onProgress }: GitCheckoutOptions,
  ): Promise<GitCheckout> {
    const folder = await mkdtemp(join(this.#options.directory, 'git-')).catch(error => {
      throw ioError(error, this.#options.directory);
    });
    try {
      const home = join(folder, 'home');
      await mkdir(home);
      const { remote, authorization } = splitCredentials(request.remote);
      const ssh = request.transport === 'ssh';
      const authorizations = await this.#authorizations(remote, authorization, ssh, { signal });
      const environment = { env: this.#options.env, home, ssh, authorizations };
      await this.#checkVersion(environment, signal);
      const limits = this.#options.limits ?? gitLimits;
      const commands = { ...environment, remote, signal, onProgress, receiveLimit: limits.bytes };
      const ref = await resolveRef(new GitCommands(commands), request);
      const workTree = join(folder, 'files');
      const gitDir = request.keepGitDir ? join(workTree, '.git') : join(folder, 'repository');
      const { id, time } = await checkOut(
        ref,
        { gitDir, workTree },
        {
          ...commands,
          ...request,
          remote,
          budget: new GitBudget(limits),
          wanted: request.ref,
          // What the server said of the ref has been believed up to here.
          check: commit => checkChecksum(request.checksum, [ref.id, commit.id]),
        },
      );
      if (!request.keepGitDir) await rm(gitDir, { recursive: true });
      return { path: workTree, commit: id, time };
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw ioError(error, folder);
    }
  }

  async #authorizations(
    remote: string,
    own: GitAuthorization | undefined,
    ssh: boolean,
    options: CallOptions,
  ): Promise<GitAuthorization[]> {
    const value = ssh ? undefined : await this.#options.authorization?.(remote, options);
    if (value !== undefined) return [{ scope: tokenScope(remote), value }];
    return own === undefined ? [] : [own];
  }

  /** Asked once; a failure or an abort does not stay. */
  async #checkVersion(environment: Parameters<typeof gitEnvironment>[0], signal?: AbortSignal): Promise<void> {
    this.#checked ??= checkVersion(environment, signal).catch(error => {
      this.#checked = undefined;
      throw error;
    });
    await this.#checked;
  }
}

async function checkVersion(environment: Parameters<typeof gitEnvironment>[0], signal?: AbortSignal): Promise<void> {
  const result = await runGit(['version'], { env: gitEnvironment(environment), directory: environment.home, signal });
  if (result.status !== 0) throw gitFailure('git version', result.messages);
  const [, major, minor] = /git version (\d+)\.(\d+)/.exec(result.stdout.toString('latin1')) ?? [];
  const [wantedMajor, wantedMinor] = oldestVersion;
  if (Number(major) > wantedMajor || (Number(major) === wantedMajor && Number(minor) >= wantedMinor)) return;
  const wanted = oldestVersion.join('.');
  throw new LadingError('UNSUPPORTED', `git ${major}.${minor} is too old: ${wanted} or newer is needed`, {
    details: { feature: `git before ${wanted}` },
    hint: 'Install a newer git, or fetch the repository before the build and use its folder.',
  });
}

/** A part of the files. Links are not followed, so it cannot lie elsewhere. */
async function folderInside(path: string, subdirectory: string | undefined): Promise<string> {
  let folder = path;
  for (const part of subdirectory?.split('/') ?? []) {
    folder = join(folder, part);
    const stats = await lstat(folder).catch(() => undefined);
    if (stats?.isDirectory()) continue;
    const problem = stats === undefined ? 'is not there' : 'is no folder';
    const message = `${subdirectory} in the repository: ${part} ${problem}`;
    if (stats === undefined) throw new LadingError('PATH_NOT_FOUND', message, { details: { path: subdirectory! } });
    throw new LadingError('PATH_INVALID', message, { details: { path: subdirectory!, problem } });
  }
  return folder;
}
