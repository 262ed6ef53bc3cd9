import { accessSync, constants } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { readElf } from './elf.js';

/** A program of this machine with all files that it takes to start it. */
export interface HostProgram {
  /** Without links. */
  readonly path: string;
  /** What loads it; absent for a static program. */
  readonly interpreter?: string | undefined;
  /** Its shared libraries, and those of them: the name that is asked for, and where it is. */
  readonly libraries: ReadonlyArray<{ readonly name: string; readonly path: string }>;
}

/** Where programs are that a user's PATH may leave out. */
export const systemFolders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'] as const;

/** Along a search path, and then in the folders of the system, which a user's PATH may leave out. */
export function findHostProgram(name: string, searchPath: string): string | undefined {
  const folders = [...searchPath.split(delimiter), ...systemFolders].filter(folder => folder.startsWith('/'));
  return folders.map(folder => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @throws when the file is no program, or its loader cannot say what it needs */
export async function describeHostProgram(found: string): Promise<HostProgram> {
  const path = await realpath(found);
  const interpreter = readElf(await readFile(path))?.interpreter;
  if (interpreter === undefined) return { path, libraries: [] };
  const { execFile } = await import('node:child_process');
  const { stdout } = await promisify(execFile)(interpreter, ['--list', path], { env: { LC_ALL: 'C' } });
  // `NAME => PATH (ADDRESS)`, or `PATH (ADDRESS)` of what is named by its path.
  const lines = [...stdout.matchAll(/^\s*(\S+)(?: => (\/\S+))? \(0x[0-9a-f]+\)$/gm)];
  const libraries = lines.flatMap(([, name, at]) => {
    const file = at ?? name!;
    return file.startsWith('/') && file !== interpreter ? [{ name: name!.split('/').at(-1)!, file }] : [];
  });
  return {
    path,
    interpreter: await realpath(interpreter),
    libraries: await Promise.all(libraries.map(async ({ name, file }) => ({ name, path: await realpath(file) }))),
  };
}
