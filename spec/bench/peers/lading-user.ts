import { chmod, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { machineUser, machineUserPrograms } from '../../support/machine-user.js';
import type { Workbench } from '../workbench.js';

/** Lading in the hands of somebody without privilege, who has a copy of it and of the store with the base image. */
export interface LadingUser {
  readonly store: string;
  lading(...args: readonly string[]): readonly string[];
  remove(): Promise<void>;
}

/** Kinds of users, what each needs beside root, who makes it, and what it has to ask for. */
export const ladingUsers = [
  {
    title: 'by a user with ranges of ids',
    ranges: true,
    needs: [...machineUserPrograms, 'unshare', 'newuidmap', 'newgidmap'],
    options: [],
  },
  // By itself lading prefers proot here, where it is installed: it plays the users that are not there.
  {
    title: 'by a user with one id',
    ranges: false,
    needs: [...machineUserPrograms, 'unshare'],
    options: ['--sandbox', 'namespaces'],
  },
] as const;

export async function ladingUser(
  bench: Workbench,
  { title, ranges }: Pick<(typeof ladingUsers)[number], 'title' | 'ranges'>,
): Promise<LadingUser> {
  const base = await bench.base();
  const folder = bench.path(title.replaceAll(' ', '-'));
  await mkdir(folder);
  // Others are let through to what is theirs, and to the context.
  await chmod(dirname(folder), 0o711);
  const user = await machineUser(folder, { ranges });
  const store = join(user.home, 'store');
  // Where this one lies may be closed to them.
  const copy = join(folder, 'lading');
  try {
    await bench.restore(base.store, store);
    await bench.run(['chown', '-R', `${user.name}:`, store]);
    await mkdir(copy);
    await bench.run(['cp', '-r', 'dist', 'package.json', copy]);
  } catch (error) {
    await user.remove();
    throw error;
  }
  return {
    store,
    lading: (...args) => user.command(process.execPath, [join(copy, 'dist/cli/bin.js'), ...args]),
    remove: () => user.remove(),
  };
}
