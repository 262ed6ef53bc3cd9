import { baseOf, joinPath, parentOf } from '../tree/path.js';
import { invalidArchive } from './invalid-archive.js';

/** How layers say that something of a lower layer is gone (OCI image-spec, layer.md, "Whiteouts"). */
export const whiteoutPrefix = '.wh.';
export const opaqueName = '.wh..wh..opq';

/**
 * What a cleaned entry path means as a whiteout; `undefined` when it is an ordinary path.
 * @throws LadingError INVALID_ARCHIVE for a whiteout that would remove its own folder or one above
 */
export function parseWhiteout(
  path: string,
): { readonly type: 'whiteout' | 'opaque'; readonly path: string } | undefined {
  if (!path.includes(whiteoutPrefix)) return undefined;
  const base = baseOf(path);
  if (!base.startsWith(whiteoutPrefix)) return undefined;
  if (base === opaqueName) return { type: 'opaque', path: parentOf(path) };
  const name = base.slice(whiteoutPrefix.length);
  if (name === '' || name === '.' || name === '..') throw invalidArchive('an invalid whiteout name', path);
  return { type: 'whiteout', path: joinPath(parentOf(path), name) };
}

/** The path of the entry that removes `path`. */
export function whiteoutPath(path: string): string {
  return joinPath(parentOf(path), whiteoutPrefix + baseOf(path));
}

/** Whether a reader of layers would take a part of this path for a whiteout. */
export function looksLikeWhiteout(path: string): boolean {
  return path.startsWith(whiteoutPrefix) || path.includes(`/${whiteoutPrefix}`);
}
