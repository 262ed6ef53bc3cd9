import { realpath } from 'node:fs/promises';
import { isAbsolute, relative, sep } from 'node:path';

/** Where in a folder another one lies, links followed; `undefined` when it does not, or either is not there. */
export async function pathInside(folder: string, other: string): Promise<string | undefined> {
  // A folder that is not there lies nowhere.
  const [from, to] = await Promise.all([folder, other].map(path => realpath(path).catch(() => undefined)));
  if (from === undefined || to === undefined) return undefined;
  const path = relative(from, to).split(sep).join('/');
  return path === '' || path === '..' || path.startsWith('../') || isAbsolute(path) ? undefined : path;
}
