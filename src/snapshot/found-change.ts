import type { BigIntStats } from 'node:fs';

/** A file, folder or whatever it is, as it is on the disk. */
export interface FoundFile {
  readonly path: string;
  readonly stats: BigIntStats;
  /** Where it is on this machine, spelled as in `path.ts`. */
  readonly host: string;
  /** What its mode was before it was made readable for whoever builds. */
  readonly mode?: number | undefined;
  /** A folder of which nothing is left but what is found in it. */
  readonly opaque?: boolean | undefined;
}

/** Something that is otherwise on the disk than in the tree before, or may be. A folder comes before what is in it. */
export type FoundChange = FoundFile | { readonly path: string; readonly gone: true };

export function isPresent(change: FoundChange): change is FoundFile {
  return !('gone' in change);
}
