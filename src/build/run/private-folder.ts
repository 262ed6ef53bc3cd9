import { constants } from 'node:fs';
import { access, chmod, chown, mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pid } from 'node:process';
import { ioError } from '../../errors/io-error.js';
import type { MountPermissions } from '../../plan/run-mount.js';

/** A file system in memory, where there is one: what is written to it is on no disk. */
const memory = '/dev/shm';

/** A folder that nobody else can look into, for what a command may see and nobody may keep. */
export interface PrivateFolder {
  /** Writes a file and returns its path. */
  write(name: string, content: Uint8Array, permissions: MountPermissions): Promise<string>;
  readonly path: string;
  remove(): Promise<void>;
}

/** In memory where that can be had, else in the given folder. What a killed build has left there is removed. */
export async function memoryFolder(fallback: string): Promise<PrivateFolder> {
  const prefix = `lading.${(await pidRealm()) ?? '0'}.`;
  const inMemory = await access(memory, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  if (inMemory) await sweep(prefix);
  return await privateFolder(inMemory ? memory : fallback, `${prefix}${pid}.`);
}

/** A folder of a new name below another one. */
export async function privateFolder(parent: string, prefix = 'private.'): Promise<PrivateFolder> {
  const path = await mkdtemp(join(parent, prefix)).catch(error => {
    throw ioError(error, parent);
  });
  return {
    path,
    async write(name, content, permissions) {
      const file = join(path, name);
      try {
        await writeFile(file, content, { mode: 0o600, flag: 'wx' });
        await give(file, permissions);
      } catch (error) {
        throw ioError(error, file);
      }
      return file;
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

/** What is said to those who may not give files away, or not to such owners. */
const refusals = new Set(['EPERM', 'EINVAL']);

/**
 * Gives a file the owner and mode that it is to have. Who may not give files away lets all of the sandbox use it instead:
 * nobody else gets to it.
 */
export async function give(path: string, { mode, uid, gid }: MountPermissions): Promise<void> {
  let given = true;
  try {
    await chown(path, uid, gid);
  } catch (error) {
    if (!refusals.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    given = false;
  }
  const owner = (mode >> 6) & 7;
  await chmod(path, given ? mode : mode | (owner << 3) | owner);
}

/** Processes that were killed leave their secrets: whoever comes next, and can tell that they are gone, removes them. */
async function sweep(prefix: string): Promise<void> {
  for (const name of await readdir(memory).catch(() => [])) {
    const left = name.startsWith(prefix) ? /^(\d+)\./.exec(name.slice(prefix.length)) : null;
    if (left === null || (await lives(left[1]!))) continue;
    // Another user's stay: they are not ours to remove.
    await rm(join(memory, name), { recursive: true, force: true }).catch(() => {});
  }
}

async function lives(id: string): Promise<boolean> {
  return access(`/proc/${id}`).then(
    () => true,
    () => false,
  );
}

/** What process ids mean something in. */
async function pidRealm(): Promise<string | undefined> {
  const name = await readlink('/proc/self/ns/pid').catch(() => '');
  return /\d+/.exec(name)?.[0];
}
