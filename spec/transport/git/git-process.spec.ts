import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type GitProcessOptions, runGit } from '../../../src/transport/git/git-process.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lading-git-process-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a script in the place of git. */
function run(script: string, options: Partial<GitProcessOptions> = {}, ...args: string[]) {
  writeFileSync(join(folder, 'git'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const env = { PATH: `${folder}:/usr/bin:/bin` };
  return runGit(args, { env, directory: folder, ...options });
}

/** A process that has ended stays a zombie until somebody asks for its status; nobody does for orphans in a container. */
function isAlive(pidFile: string): boolean {
  const pid = readFileSync(join(folder, pidFile), 'utf8').trim();
  return /^[^Z]/.test(spawnSync('ps', ['-o', 'stat=', '-p', pid], { encoding: 'utf8' }).stdout.trim());
}

describe('runGit', () => {
  it('gives what the process says, with the arguments as they are', async () => {
    const { status, stdout, messages } = await run('printf "%s|" "$@"; umask >&2; exit 3', {}, '-x', 'a b', '$HOME;');
    expect({ status, stdout: String(stdout), messages }).toEqual({
      status: 3,
      stdout: '-x|a b|$HOME;|',
      messages: '0022\n',
    });
  });

  it('hands on no variable but those it is given, and no input', async () => {
    const { stdout } = await run('env; cat', { env: { PATH: `${folder}:/usr/bin:/bin`, A: 'b' } });
    const names = String(stdout)
      .trim()
      .split('\n')
      .map(line => line.split('=')[0]);
    expect(names.filter(name => !['PWD', 'SHLVL', '_', 'OLDPWD'].includes(name!)).sort()).toEqual(['A', 'PATH']);
  });

  it('knows that it is missing', async () => {
    await expect(runGit([], { env: { PATH: folder }, directory: folder })).rejects.toMatchObject({
      code: 'PROGRAM_MISSING',
    });
  });

  it.each([
    ['that ends when it is told to', 'sleep 60 & echo $! >child; echo $$ >self; echo ready; wait'],
    [
      'that does not want to end',
      "trap '' TERM; sh -c 'trap \"\" TERM; echo $$ >child; sleep 60' & echo $$ >self; sleep 1; echo ready; wait",
    ],
  ])('ends a process %s, with its children', async (_, script) => {
    const controller = new AbortController();
    const onOutput = (): void => controller.abort(new Error('enough'));
    await expect(run(script, { signal: controller.signal, onOutput })).rejects.toThrow('enough');
    expect([isAlive('self'), isAlive('child')]).toEqual([false, false]);
  });

  it('ends what a process leaves behind', async () => {
    expect(await run('sleep 60 >/dev/null 2>&1 & echo $! >child')).toMatchObject({ status: 0 });
    await expect.poll(() => isAlive('child')).toBe(false);
  });

  it('is not begun when it is given up before', async () => {
    await expect(run('touch begun', { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
    expect(() => readFileSync(join(folder, 'begun'))).toThrow();
  });

  it('waits for a sign of life for so long and no longer', async () => {
    const failure = () => new Error('silent');
    await expect(run('sleep 60', { silence: { limitMs: 100, failure } })).rejects.toThrow('silent');
    const busy = 'for i in 1 2 3 4 5 6; do sleep 0.2; echo x >&2; done';
    expect(await run(busy, { silence: { limitMs: 1000, failure } })).toMatchObject({ status: 0 });
  });

  it('bounds what it keeps', async () => {
    await expect(run('yes')).rejects.toMatchObject({ code: 'SIZE_EXCEEDED' });
    const { messages } = await run('yes a | head -c 1000000 >&2; echo end >&2');
    expect(messages.length).toBeLessThan(70_000);
    expect(messages.endsWith('a\naend\n') || messages.endsWith('a\nend\n')).toBe(true);
  });

  it('ends when whoever listens has enough', async () => {
    const onOutput = (): void => {
      throw new Error('enough');
    };
    await expect(run('echo x; sleep 60', { onOutput })).rejects.toThrow('enough');
    const onMessage = onOutput;
    await expect(run('echo x >&2; sleep 60', { onMessage })).rejects.toThrow('enough');
  });
});
