import { chmod, chown, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { SandboxedResult, SandboxedRun } from './run-in-sandbox.js';
import { runProgram } from './run-program.js';

const top = fileURLToPath(new URL('../..', import.meta.url));

/** A program of this folder in one file; gives its path. */
export async function sandboxProgram(folder: string, name = 'run-in-sandbox'): Promise<string> {
  const outfile = join(folder, `${name}.mjs`);
  const entryPoints = [`spec/support/${name}.ts`];
  await build({ absWorkingDir: top, entryPoints, outfile, bundle: true, format: 'esm', platform: 'node' });
  await chmod(outfile, 0o644);
  return outfile;
}

/** What {@link runAsOther} needs. */
export const otherUserPrograms = ['root', 'setpriv'] as const;

/** Runs a process in a sandbox as the user 1000, who has no capability and can get none. */
export async function runAsOther(program: string, run: SandboxedRun): Promise<SandboxedResult> {
  const user = ['--reuid', '1000', '--regid', '1000', '--clear-groups', '--no-new-privs'];
  const none = ['--inh-caps=-all', '--bounding-set=-all'];
  const args = [...user, ...none, process.execPath, program];
  const { stdout } = await runProgram('setpriv', args, { input: JSON.stringify(run), cwd: '/' });
  return JSON.parse(stdout) as SandboxedResult;
}

/** Gives a tree to a user. */
export async function giveTree(folder: string, uid: number): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await giveTree(join(folder, entry.name), uid);
    else if (entry.isFile()) await chown(join(folder, entry.name), uid, uid);
  }
  await chown(folder, uid, uid);
}
