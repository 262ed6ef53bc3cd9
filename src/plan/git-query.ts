import type { LadingError } from '../errors/errors.js';

/** What the query of a repository's address says; `ref` and `subdirectory` are those of the fragment where it is silent. */
export interface GitQuery {
  readonly ref: string;
  /** As written. */
  readonly subdirectory: string;
  readonly checksum?: string | undefined;
  readonly keepGitDir?: boolean | undefined;
  readonly submodules?: boolean | undefined;
  readonly fetchByCommit?: boolean | undefined;
}

type Refusal = (message: string) => LadingError;

/** Keys that mean `true` when they have no value. */
const switches = new Set(['keep-git-dir', 'submodules', 'fetch-by-commit']);
const keys = new Set([...switches, 'ref', 'tag', 'branch', 'subdir', 'checksum', 'commit', 'mtime']);

/**
 * Reads BuildKit's query of a repository: `ref`, `tag` or `branch`, `subdir`, `checksum` or `commit`, `keep-git-dir`,
 * `submodules`, `mtime`, `fetch-by-commit`. What is said twice must be the same. Of `mtime`, `checkout` would be a time of
 * the clock and `commit` is what files have anyway, so both are taken and nothing follows from them.
 */
export function readGitQuery(
  query: URLSearchParams,
  fragment: Pick<GitQuery, 'ref' | 'subdirectory'>,
  refusal: Refusal,
): GitQuery {
  const values = valuesOf(query, refusal);
  const agreed = (what: string, ...given: ReadonlyArray<string | undefined>): string => {
    const [first = '', ...others] = [...new Set(given.filter(Boolean))];
    if (others.length === 0) return first;
    throw refusal(`${what} conflicts: ${JSON.stringify(first)} vs ${JSON.stringify(others[0])}`);
  };
  const mtime = values.get('mtime');
  if (mtime !== undefined && mtime !== 'checkout' && mtime !== 'commit') {
    throw refusal(`invalid mtime value: ${JSON.stringify(mtime)} (must be "checkout" or "commit")`);
  }
  const tag = prefixed('refs/tags/', values.get('tag'));
  const branch = prefixed('refs/heads/', values.get('branch'));
  const ref = agreed('ref', fragment.ref, values.get('ref'), tag);
  if (branch !== undefined && tag !== undefined) throw refusal('branch conflicts with tag');
  const flag = (key: string): boolean | undefined => booleanOf(key, values.get(key), refusal);
  return {
    ref: agreed('ref', ref, branch),
    subdirectory: agreed('subdir', fragment.subdirectory, values.get('subdir')),
    checksum: agreed('checksum', values.get('checksum'), values.get('commit')) || undefined,
    keepGitDir: flag('keep-git-dir'),
    submodules: flag('submodules'),
    fetchByCommit: flag('fetch-by-commit'),
  };
}

function valuesOf(query: URLSearchParams, refusal: Refusal): ReadonlyMap<string, string> {
  for (const key of new Set(query.keys())) {
    const given = query.getAll(key);
    if (given.length > 1) throw refusal(`query ${JSON.stringify(key)} has multiple values`);
    if (given[0] === '' && !switches.has(key)) throw refusal(`query ${JSON.stringify(key)} has no value`);
    if (!keys.has(key)) throw refusal(`unexpected query ${JSON.stringify(key)}`);
  }
  return new Map(query);
}

function prefixed(prefix: string, name: string | undefined): string | undefined {
  return name === undefined || name.startsWith(prefix) ? name : prefix + name;
}

function booleanOf(key: string, value: string | undefined, refusal: Refusal): boolean | undefined {
  if (value === undefined) return undefined;
  if (value === '' || /^(?:1|t|T|TRUE|true|True)$/.test(value)) return true;
  if (/^(?:0|f|F|FALSE|false|False)$/.test(value)) return false;
  throw refusal(`invalid ${key} value: ${JSON.stringify(value)}`);
}
