import { readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileLock } from '../../src/store/file-lock.js';
import { identifyProcess } from '../../src/store/process-identity.js';
import { codeOf } from '../support/content-suite.js';
import { tempDir } from '../support/temp-dir.js';
import { startChild } from './start-child.js';

const newPath = async (): Promise<string> => join(await tempDir(), 'lock');
const write = async (path: string, identity: object, ageMs = 0): Promise<void> => {
  await writeFile(path, `${JSON.stringify(identity)}\n`);
  const time = (Date.now() - ageMs) / 1000;
  await utimes(path, time, time);
};
const acquired = (path: string, timeoutMs = 200): Promise<string> =>
  new FileLock(path, timeoutMs).hold(async () => 'yes');

describe('FileLock', () => {
  it('lets one in at a time, whoever holds the object', async () => {
    const path = await newPath();
    const locks = [new FileLock(path), new FileLock(path)];
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        locks[i % 2]!.hold(async () => {
          inside += 1;
          most = Math.max(most, inside);
          await new Promise(resolve => setImmediate(resolve));
          inside -= 1;
        }),
      ),
    );
    expect(most).toBe(1);
    expect(await codeOf(stat(path))).toBe('other');
  });

  it('lets go when the work fails', async () => {
    const lock = new FileLock(await newPath());
    await expect(lock.hold(() => Promise.reject(new Error('work failed')))).rejects.toThrow('work failed');
    expect(await lock.hold(async () => 'yes')).toBe('yes');
  });

  it('gives up on a holder that lives', async () => {
    const path = await newPath();
    await write(path, await identifyProcess());
    expect(await codeOf(acquired(path))).toBe('STORE_LOCKED');
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject(await identifyProcess());
  });

  it('stops waiting when it is told to', async () => {
    const path = await newPath();
    await write(path, await identifyProcess());
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('enough')), 20);
    const waiting = new FileLock(path).hold(async () => {}, { signal: controller.signal });
    await expect(waiting).rejects.toThrow('enough');
  });

  it('breaks the lock of a killed process', async () => {
    const path = await newPath();
    const child = await startChild(['hold', path]);
    await child.working;
    expect(await codeOf(acquired(path, 50))).toBe('STORE_LOCKED');
    child.process.kill('SIGKILL');
    await child.ended;
    expect(await acquired(path)).toBe('yes');
  });

  it('knows a pid that another process has since', async () => {
    const path = await newPath();
    await write(path, { ...(await identifyProcess()), startTime: '1' });
    expect(await acquired(path)).toBe('yes');
  });

  it('believes a process that it cannot see for as long as that renews its lock', async () => {
    const path = await newPath();
    const elsewhere = { pid: 1, realm: 'another machine' };
    await write(path, elsewhere);
    expect(await codeOf(acquired(path))).toBe('STORE_LOCKED');
    await write(path, elsewhere, 120_000);
    expect(await acquired(path)).toBe('yes');
  });

  it('breaks a lock that was never filled, after a while', async () => {
    const path = await newPath();
    await writeFile(path, '');
    expect(await codeOf(acquired(path))).toBe('STORE_LOCKED');
    await utimes(path, 1, 1);
    expect(await acquired(path)).toBe('yes');
  });

  it('is broken once when many find it stale', async () => {
    const path = await newPath();
    for (let round = 0; round < 10; round++) {
      await write(path, { ...(await identifyProcess()), startTime: '1' });
      let inside = 0;
      await Promise.all(
        Array.from({ length: 8 }, () =>
          new FileLock(path).hold(async () => {
            inside += 1;
            expect(inside).toBe(1);
            await new Promise(resolve => setTimeout(resolve, 1));
            inside -= 1;
          }),
        ),
      );
    }
  });
});
