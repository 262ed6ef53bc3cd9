import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ioError } from '../errors/io-error.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import { idMap } from './snapshot-shelf.js';

/** What has to be known of a working root to read it when whoever had it is gone. */
export interface LeftRoot extends Pick<Sandbox, 'roots' | 'owners'> {
  /** What ids of users mean in it: in a user namespace others than outside. */
  readonly users: string;
}

/** Moves a working root to a folder of its own, with what has to be known of it: what is there is whole. */
export async function placeRoot(work: string, folder: string, about: Omit<LeftRoot, 'users'>): Promise<void> {
  try {
    await writeFile(join(work, 'left'), JSON.stringify({ ...about, users: idMap() }));
    await rename(work, folder);
  } catch (error) {
    throw ioError(error, folder);
  }
}

/** @returns nothing where there is none */
export async function findRoot(folder: string): Promise<LeftRoot | undefined> {
  try {
    const { roots, owners, users } = JSON.parse(await readFile(join(folder, 'left'), 'utf8')) as LeftRoot;
    const known = ['overlay', 'directory'].includes(roots) && ['kept', 'recorded'].includes(owners);
    return known && typeof users === 'string' ? { roots, owners, users } : undefined;
  } catch {
    return undefined;
  }
}
