import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundledProgram } from '../support/bundled-program.js';
import { cli } from '../support/run-cli.js';
import { tempDir } from '../support/temp-dir.js';

let bin: string;
let cwd: string;

beforeAll(async () => {
  cwd = await tempDir();
  bin = await bundledProgram(cwd);
  await mkdir(join(cwd, 'app'));
  await writeFile(join(cwd, 'app', 'Dockerfile'), 'FROM scratch\nCOPY data /\n');
  await writeFile(join(cwd, 'app', 'data'), Buffer.alloc(2_000_000, 7));
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(args: readonly string[], execArgv: readonly string[] = []) {
  const env = { PATH: process.env['PATH'], LADING_ROOT: join(cwd, 'store') };
  const child = spawn(process.execPath, [...execArgv, bin, ...args], { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('latin1')));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  const ended = new Promise<Ended>(resolve => child.on('close', code => resolve({ code, stdout, stderr })));
  return { child, ended };
}

describe('the program', () => {
  it('tells its version, from package.json', async () => {
    const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(await start(['--version']).ended).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('ends with the code of its command', async () => {
    expect(await start(['nope']).ended).toMatchObject({ code: 2, stdout: '' });
    expect(await start(['inspect', 'nope']).ended).toMatchObject({ code: 1, stdout: '' });
    expect(await start(['build', '-q', '-t', 'app', 'app']).ended).toMatchObject({ code: 0, stderr: '' });
  });

  it.runIf(process.platform === 'linux')('says that its folder has been removed', async () => {
    const script = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"';
    const child = spawn('/bin/sh', ['-c', script, 'sh', process.execPath, bin, 'images'], { cwd, stdio: 'pipe' });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
    expect(await new Promise(resolve => child.on('close', resolve))).toBe(1);
    expect(stderr).toMatch(/^error: .*\nhint: .*\n$/);
  });

  it('says what it needs of Node for gzip, and does without for the rest', async () => {
    const refused = await start(['build', '--no-cache', 'app'], ['--jitless']).ended;
    expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('--jitless') });
    expect(await start(['build', '-q', '--compression=none', 'app'], ['--jitless']).ended).toMatchObject({ code: 0 });
    // A layer with gzip, from which a file is read.
    await writeFile(join(cwd, 'app', 'Other'), 'FROM scratch\nCOPY --from=app data /other\n');
    const args = ['build', '-q', '--compression=none', '-f', 'app/Other', '-o', 'out', 'app'];
    expect(await start(args, ['--jitless']).ended).toMatchObject({ code: 0 });
    expect((await readFile(join(cwd, 'out', 'other'))).equals(Buffer.alloc(2_000_000, 7))).toBe(true);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    'ends at %s with %d, and leaves nothing unfinished',
    async (signal, code) => {
      const { child, ended } = start(['load']);
      // The command waits for the rest of the archive.
      child.stdin.write(Buffer.alloc(1024));
      child.stdin.on('error', () => {});
      await new Promise(resolve => setTimeout(resolve, 1500));
      child.kill(signal);
      expect(await ended).toEqual({ code, stdout: '', stderr: 'interrupted\n' });
      const check = JSON.parse(await cli(['fsck', '--json'], { cwd }));
      expect(check).toMatchObject({ problems: [], leftovers: [] });
    },
    20_000,
  );

  it('says nothing when its reader goes away', async () => {
    await start(['build', '-q', '-t', 'app', 'app']).ended;
    const { child, ended } = start(['save', 'app']);
    child.stdout.destroy();
    const { code, stderr } = await ended;
    expect([code, stderr]).toEqual([141, '']);
  });
});
