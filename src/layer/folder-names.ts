import { readdirSync } from 'node:fs';
import { decodePath, toHostPath } from '../tree/path.js';

/** What is in a folder of this machine, in no particular order; names that are not UTF-8 spelled as in `path.ts`. */
export function folderNames(path: string): string[] {
  const listed = readdirSync(toHostPath(path));
  // Names that are not UTF-8 come out with replacement characters: ask again for their bytes.
  if (!listed.some(name => name.includes('\ufffd'))) return listed;
  return readdirSync(toHostPath(path), { encoding: 'buffer' }).map(decodePath);
}
