import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from './run-program.js';

/** A user of this machine for a test, with or without a range of ids; everything of it goes again. */
export interface MachineUser {
  readonly name: string;
  readonly home: string;
  /** What runs a program as the user, with nothing in the environment but PATH, HOME and TMPDIR. */
  command(program: string, args: readonly string[], env?: Readonly<Record<string, string>>): [string, ...string[]];
  /** Runs it. */
  run(
    program: string,
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Promise<{ code: number; stdout: string; stderr: string }>;
  remove(): Promise<void>;
}

export const machineUserPrograms = ['root', 'useradd', 'userdel', 'setpriv'] as const;

/** @param folder of the test; others are let through it */
export async function machineUser(folder: string, { ranges }: { readonly ranges: boolean }): Promise<MachineUser> {
  const name = `lading-${ranges ? 'r' : 's'}${Date.now().toString(36)}${Math.floor(Math.random() * 1e4)}`;
  const home = join(folder, 'home');
  await chmod(folder, 0o755);
  // Without an entry in login.defs for it, useradd gives every new user a range.
  const without = ranges ? [] : ['--key', 'SUB_UID_COUNT=0', '--key', 'SUB_GID_COUNT=0'];
  await runProgram('useradd', ['--create-home', '--home-dir', home, '--no-log-init', ...without, name]);
  const temporary = join(home, 'tmp');
  await mkdir(temporary);
  await runProgram('chown', [`${name}:`, temporary]);
  const command: MachineUser['command'] = (program, args, env = {}) => {
    const variables = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: home, TMPDIR: temporary, ...env };
    const pairs = Object.entries(variables).map(([key, value]) => `${key}=${value}`);
    return ['setpriv', '--reuid', name, '--regid', name, '--init-groups', 'env', '-i', ...pairs, program, ...args];
  };
  return {
    name,
    home,
    command,
    run: async (program, args, env) => {
      const [first, ...rest] = command(program, args, env);
      return await runProgram(first, rest, { mayFail: true, timeout: 280, cwd: '/' });
    },
    remove: async () => {
      await runProgram('userdel', ['--force', name], { mayFail: true });
      await runProgram('rm', ['-rf', home]);
    },
  };
}
