import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../../src/store/store.js';
import type { RegistryServer } from '../../../src/testing/registry-server.js';
import { bundledProgram } from '../../support/bundled-program.js';
import { runProgram } from '../../support/run-program.js';
import { tempDir } from '../../support/temp-dir.js';
import { noise } from '../sample-image.js';
import { startRegistry } from './connected.js';

const kills = 20;
const size = 16_000_000;
/** Slow enough for a process to be killed in the middle, also by a test that is kept waiting on a busy machine. */
const throttle = { kind: 'throttle', bytesPerSecond: 8_000_000 } as const;

let bin: string;
let cwd: string;

beforeAll(async () => {
  cwd = await tempDir();
  bin = await bundledProgram(cwd);
  await mkdir(join(cwd, 'app'));
  await writeFile(join(cwd, 'app', 'data'), randomBytes(size));
  await writeFile(join(cwd, 'app', 'Dockerfile'), 'FROM scratch\nCOPY data /\n');
}, 60_000);

function start(root: string, args: readonly string[]): ChildProcess {
  const env = { PATH: process.env['PATH'], HOME: cwd, LADING_ROOT: join(cwd, root) };
  return spawn(process.execPath, [bin, ...args], { cwd, env, stdio: 'ignore' });
}

async function run(
  root: string,
  args: readonly string[],
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  return runProgram(process.execPath, [bin, ...args], { cwd, env: { HOME: cwd, LADING_ROOT: join(cwd, root) } });
}

/** Runs the command and kills it as soon as `progress` has come so far; whether it was still there to be killed. */
async function killAt(
  root: string,
  args: readonly string[],
  bytes: number,
  progress: () => Promise<number>,
): Promise<boolean> {
  const child = start(root, args);
  const ended = new Promise<boolean>(resolve => child.once('exit', (_, signal) => resolve(signal === 'SIGKILL')));
  let over = false;
  void ended.then(() => {
    over = true;
  });
  while (!over && (await progress()) < bytes) await sleep(2);
  child.kill('SIGKILL');
  return ended;
}

/** Points at which to kill, in order; always the same for a seed. */
function points(seed: number): number[] {
  const bytes = noise(kills * 4, seed);
  return Array.from({ length: kills }, (_, i) => (bytes.readUInt32LE(i * 4) / 2 ** 32) * size * 0.95).sort(
    (a, b) => a - b,
  );
}

async function pushed(server: RegistryServer, root: string): Promise<string> {
  const name = `${server.host}/app/one:1`;
  const { stdout } = await run(root, ['build', '-q', '-t', name, 'app']);
  return stdout.trim();
}

describe('a process that is killed at any point', () => {
  it('of a push: the next one goes on in the same upload, and no byte is received twice', async () => {
    const server = await startRegistry();
    const name = `${server.host}/app/one:1`;
    await pushed(server, 'pushing');
    server.inject({ path: /uploads/, times: Number.POSITIVE_INFINITY }, throttle);
    const received = (): number => server.requests.reduce((sum, each) => sum + each.received, 0);
    let killed = 0;
    for (const point of points(3)) {
      if (await killAt('pushing', ['push', name], point, async () => received())) killed++;
    }
    expect(killed).toBeGreaterThan(kills / 2);
    const { stdout, stderr } = await run('pushing', ['push', name]);
    expect(stdout).toContain('sha256:');
    expect(stderr).toContain('going on behind');
    const [digest] = /sha256:[0-9a-f]{64}/.exec(stdout)!;
    expect(server.content.manifest('app/one', '1')?.digest).toBe(digest);
    const there = server.content
      .blobs('app/one')
      .reduce((sum, each) => sum + server.content.blob('app/one', each)!.length, 0);
    const manifest = server.content.manifest('app/one', '1')!.bytes.length;
    // Small blobs are sent again, large ones go on.
    expect(received() - there - manifest).toBeLessThan(64 * 1024);
    expect(server.requests.filter(({ method }) => method === 'POST').length).toBeLessThan(kills + 3);
    expect(await readdir(join(cwd, 'pushing', 'transfers'))).toEqual([]);
  }, 300_000);

  it('of a pull: the next one goes on behind what had arrived, and the store is clean', async () => {
    const server = await startRegistry();
    const name = `${server.host}/app/one:1`;
    await pushed(server, 'origin');
    const { stdout } = await run('origin', ['push', name]);
    server.inject({ path: /blobs/, times: Number.POSITIVE_INFINITY }, throttle);
    const folder = join(cwd, 'pulling', 'transfers');
    const parts = async (): Promise<number> => {
      let total = 0;
      for (const file of await readdir(folder).catch(() => [])) {
        if (file.startsWith('blob-') && !file.endsWith('.lock')) {
          total += await stat(join(folder, file)).then(
            ({ size }) => size,
            () => 0,
          );
        }
      }
      return total;
    };
    let killed = 0;
    for (const [i, point] of points(5).entries()) {
      const before = await parts();
      if (!(await killAt('pulling', ['pull', name], point, parts))) continue;
      killed++;
      // What has arrived is never lost.
      expect(await parts()).toBeGreaterThanOrEqual(before);
      if (i % 5 === 0) expect((await run('pulling', ['fsck'])).stdout).not.toContain('damaged');
    }
    expect(killed).toBeGreaterThan(kills / 2);
    const again = await run('pulling', ['pull', name]);
    expect(again.stdout).toBe(stdout);
    expect(again.stderr).toContain('going on behind');
    // Each request begins where the file ended, so the starts of all requests only grow.
    const starts = server.requests
      .flatMap(({ headers }) => /bytes=(\d+)-/.exec(headers['range'] ?? '')?.[1] ?? [])
      .map(Number);
    expect(starts.length).toBeGreaterThan(kills / 2);
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
    const store = await openStore(join(cwd, 'pulling'));
    expect((await store.check()).problems).toEqual([]);
    await store.close();
    expect(await readdir(folder)).toEqual([]);
  }, 300_000);
});
