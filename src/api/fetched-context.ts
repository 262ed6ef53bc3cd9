import type { FetchedFiles, NamedContext } from '../build/inputs.js';
import { repositoryFiles } from '../build/remote-source.js';
import { webContext } from '../build/web-context.js';
import { parseGitContext } from '../plan/git-reference.js';
import type { CallOptions } from '../stream/bytes.js';
import type { Workspace } from './workspace.js';

/**
 * A named context that is behind an address: a Git repository, or an archive or another file of the web. `undefined` for
 * what is none.
 * @throws LadingError INVALID_VALUE for an address of a repository that contradicts itself
 */
export function fetchedContext(value: string, options: Workspace): NamedContext | undefined {
  const reference = parseGitContext(value);
  if (reference !== undefined) return once(call => repositoryFiles(reference, { ...options, ...call }));
  if (!/^https?:\/\//i.test(value)) return undefined;
  return once(async call => await webContext(value, { ...options, ...call, temporary: await options.temporary() }));
}

/** Fetched when it is first needed, be it for its files or for its time. */
function once(open: (call: CallOptions) => Promise<FetchedFiles>): NamedContext {
  let opened: Promise<FetchedFiles> | undefined;
  return {
    kind: 'fetched',
    open(call = {}) {
      opened ??= open(call);
      return opened;
    },
  };
}
