import { LadingError } from '../../errors/errors.js';
import type { GitCommands } from './git-commands.js';
import { repositoryError } from './git-failure.js';
import type { GitRequest } from './git-request.js';

/** The object that a ref leads to. */
export interface ResolvedRef {
  /** Full id of a commit or of an annotated tag. */
  readonly id: string;
  /** In full: `refs/heads/main`. Absent for a commit that is named by its id. */
  readonly name?: string | undefined;
}

/**
 * Finds out what a ref leads to: a commit by its id without asking anyone, anything else from the server. A branch goes
 * before a tag of its name, as for git, and a name that is one below `refs/` before both.
 * @throws LadingError GIT_REPOSITORY, DIGEST_MISMATCH
 */
export async function resolveRef(git: GitCommands, { ref, checksum, fetchByCommit }: GitRequest): Promise<ResolvedRef> {
  if (ref !== undefined && isId(ref)) return { id: ref };
  if (fetchByCommit && checksum !== undefined) {
    if (ref === undefined) return { id: checksum };
    return { id: checksum, name: ref.startsWith('refs/') ? ref : `refs/heads/${ref}` };
  }
  const { found, peeled } = ref === undefined ? await defaultBranch(git) : await namedRef(git, ref);
  checkChecksum(checksum, [found.id, ...(peeled === undefined ? [] : [peeled])]);
  return found;
}

/**
 * Holds a commit, and the annotated tag that led to it, to a checksum.
 * @throws LadingError DIGEST_MISMATCH
 */
export function checkChecksum(checksum: string | undefined, ids: readonly string[]): void {
  if (checksum === undefined || ids.some(id => id.startsWith(checksum))) return;
  const actual = [...new Set(ids)].join(' or ');
  throw new LadingError('DIGEST_MISMATCH', `expected checksum to match ${checksum}, got ${actual}`, {
    details: { expected: checksum, actual },
    hint: 'The ref leads to another commit than the checksum expects: see what has changed before changing it.',
  });
}

interface FoundRef {
  readonly found: ResolvedRef;
  /** The commit of an annotated tag. */
  readonly peeled?: string | undefined;
}

async function defaultBranch(git: GitCommands): Promise<FoundRef> {
  const { symbolic, ids } = await listed(git, ['--symref'], ['HEAD']);
  const id = ids.get('HEAD');
  if (id !== undefined && symbolic !== undefined) return { found: { id, name: symbolic } };
  throw repositoryError(git.repository, 'could not find the default branch', {
    hint: 'Name a branch, a tag or a commit: #main.',
  });
}

async function namedRef(git: GitCommands, ref: string): Promise<FoundRef> {
  const whole = `refs/${ref.replace(/^refs\//, '')}`;
  const branch = `refs/heads/${ref.replace(/^refs\/heads\//, '')}`;
  const tag = `refs/tags/${ref.replace(/^refs\/tags\//, '')}`;
  const { ids } = await listed(git, [], [whole, branch, tag, `${whole}^{}`, `${tag}^{}`]);
  const name = [whole, branch, tag].find(candidate => ids.has(candidate));
  if (name !== undefined) return { found: { id: ids.get(name)!, name }, peeled: ids.get(`${name}^{}`) };
  const hint = /^[0-9a-f]{4,63}$/i.test(ref)
    ? 'A commit is named by all of its digits, in lower case.'
    : 'Check the name of the branch or tag.';
  throw repositoryError(git.repository, `repository does not contain ref ${ref}`, { ref, hint });
}

async function listed(
  git: GitCommands,
  options: readonly string[],
  patterns: readonly string[],
): Promise<{ symbolic: string | undefined; ids: ReadonlyMap<string, string> }> {
  const result = await git.ask(['ls-remote', ...options, '--', git.remote, ...patterns]);
  const ids = new Map<string, string>();
  let symbolic: string | undefined;
  for (const line of git.succeeded(result).toString('utf8').split('\n')) {
    const [what = '', name = ''] = line.split('\t');
    // Patterns match the ends of names, so there may be others.
    if (isId(what)) ids.set(name, what);
    else if (name === 'HEAD' && what.startsWith('ref: refs/heads/')) symbolic = what.slice('ref: '.length);
  }
  return { symbolic, ids };
}

function isId(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}
