/** What a source of COPY or ADD names: a Git repository, a file behind a URL, or a path. */
export type SourceKind = 'git' | 'http' | 'path';

/** Tells the kinds apart by BuildKit's rules: a web address is a repository when its path ends in `.git`. */
export function sourceKind(source: string): SourceKind {
  const scheme = /^([A-Za-z0-9]+):\/\//.exec(source)?.[1]?.toLowerCase();
  if (scheme === undefined) return /^[A-Za-z0-9_-]+@[A-Za-z0-9.-]+:/.test(source) ? 'git' : 'path';
  if (scheme === 'git' || scheme === 'ssh') return 'git';
  if (scheme !== 'http' && scheme !== 'https') return 'path';
  if (/^[^?#]*\.git(?:[?#]|$)/.test(source)) return 'git';
  return /^https?:/.test(source) ? 'http' : 'path';
}
