import { lstat, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { runUnavailable } from './sandbox.js';

export interface BindSource {
  /** Without links when it was looked at. */
  readonly path: string;
  /** The same as long as the run lasts: of what others could put something else in the place of, a descriptor's. */
  readonly held: string;
  /** `device:inode`, to compare with what has been bound. */
  readonly identity: string;
  readonly kind: 'folder' | 'file';
}

/** The name of a descriptor of the builder, which holds a file whatever is put in its place. */
const descriptor = /^\/proc\/(?:self|\d+)\/fd\/\d+$/;

/**
 * What is to be bound. What a descriptor holds is taken under the name that it has; of other paths the last part must not
 * be a link: a process that shares the folder may put one there at any moment.
 * @throws LadingError RUN_UNAVAILABLE
 */
export async function bindSource(source: string): Promise<BindSource> {
  const held = descriptor.test(source);
  const found = held ? await stat(source, { bigint: true }) : await lstat(source, { bigint: true });
  if (found.isSymbolicLink()) throw runUnavailable(`what is to be mounted is a symbolic link: ${source}`);
  const path =
    held || source === '/' ? await realpath(source) : join(await realpath(dirname(source)), basename(source));
  return {
    path,
    held: held ? source : path,
    identity: `${found.dev}:${found.ino}`,
    kind: found.isDirectory() ? 'folder' : 'file',
  };
}
