import { LadingError } from '../../errors/errors.js';

/** What one checkout may come to, with its submodules. A few bytes in a repository can stand for any number of files. */
export interface GitLimits {
  /** Files and links. */
  readonly entries: number;
  readonly bytes: number;
  readonly repositories: number;
}

export const gitLimits: GitLimits = { entries: 1_000_000, bytes: 64 * 1024 ** 3, repositories: 1000 };

/** Counts what a checkout comes to. */
export class GitBudget {
  readonly #limits: GitLimits;
  readonly #spent = { entries: 0, bytes: 0, repositories: 0 };

  constructor(limits: GitLimits) {
    this.#limits = limits;
  }

  /** @throws LadingError SIZE_EXCEEDED */
  spend(what: keyof GitLimits, amount: number): void {
    this.#spent[what] += amount;
    const limit = this.#limits[what];
    if (this.#spent[what] <= limit) return;
    throw new LadingError('SIZE_EXCEEDED', `the repository has more than ${limit} ${what}`, {
      details: { what: `${what} of a Git repository`, limit },
      hint: what === 'repositories' ? 'Leave submodules out with ?submodules=false.' : undefined,
    });
  }
}
