import { isGitReference } from './git-reference.js';

/** What a source of COPY or ADD names: a Git repository, a file behind a URL, or a path. */
export type SourceKind = 'git' | 'http' | 'path';

/** Tells the kinds apart by BuildKit's rules. */
export function sourceKind(source: string): SourceKind {
  if (isGitReference(source)) return 'git';
  return /^https?:\/\//.test(source) ? 'http' : 'path';
}
