import { decodePath } from '../../tree/path.js';
import type { GitBudget } from './git-budget.js';
import { at, type GitCommands, type GitPlace } from './git-commands.js';

/** Where another repository is to be put. */
export interface GitLink {
  readonly path: string;
  /** The commit that is wanted of it. */
  readonly commit: string;
}

/**
 * Goes over the files of a commit before they are written, and gives the places of submodules.
 * @throws LadingError SIZE_EXCEEDED
 */
export async function gitLinks(
  git: GitCommands,
  commit: string,
  place: GitPlace,
  budget: GitBudget,
): Promise<GitLink[]> {
  const links: GitLink[] = [];
  let rest: Buffer = Buffer.alloc(0);
  const onOutput = (chunk: Buffer): void => {
    const text = Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = text.indexOf(0); end >= 0; end = text.indexOf(0, start)) {
      const link = readEntry(text.subarray(start, end), budget);
      if (link !== undefined) links.push(link);
      start = end + 1;
    }
    rest = text.subarray(start);
  };
  await git.run([...at(place), 'ls-tree', '-r', '-z', '-l', '--full-tree', commit], { onOutput });
  return links;
}

/** `MODE TYPE ID SIZE<tab>PATH`, the size being `-` for what has none. */
function readEntry(entry: Buffer, budget: GitBudget): GitLink | undefined {
  const tab = entry.indexOf('\t');
  const [mode, , id = '', size] = entry.toString('latin1', 0, tab).split(/ +/);
  budget.spend('entries', 1);
  if (mode === '160000') return { path: decodePath(entry.subarray(tab + 1)), commit: id };
  budget.spend('bytes', Number(size));
  return undefined;
}
