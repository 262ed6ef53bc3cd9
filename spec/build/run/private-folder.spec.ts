import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { memoryFolder } from '../../../src/build/run/private-folder.js';

const mine = { mode: 0o400, uid: process.getuid!(), gid: process.getgid!() };

it('holds files that nobody else can read', async () => {
  const fallback = mkdtempSync(join(tmpdir(), 'lading-private-'));
  const folder = await memoryFolder(fallback);
  const path = await folder.write('secret', Buffer.from('x'), mine);
  expect(statSync(folder.path).mode & 0o777).toBe(0o700);
  expect(statSync(path).mode & 0o777).toBe(0o400);
  expect(readFileSync(path, 'utf8')).toBe('x');
  if (existsSync('/dev/shm')) expect(dirname(folder.path)).toBe('/dev/shm');
  await folder.remove();
  expect(existsSync(folder.path)).toBe(false);
  rmSync(fallback, { recursive: true });
});

it.runIf(existsSync('/dev/shm'))('removes what killed builds have left, and nothing of those that live', async () => {
  const realm = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))![0];
  const dead = `/dev/shm/lading.${realm}.4194304000.abcdef`;
  const living = `/dev/shm/lading.${realm}.${process.pid}.abcdef`;
  const elsewhere = `/dev/shm/lading.1.4194304000.abcdef`;
  for (const path of [dead, living, elsewhere]) mkdirSync(path, { recursive: true });
  const folder = await memoryFolder('/nowhere');
  const left = readdirSync('/dev/shm').map(name => `/dev/shm/${name}`);
  expect(left).toEqual(expect.arrayContaining([living, elsewhere]));
  expect(left).not.toContain(dead);
  for (const path of [living, elsewhere]) rmSync(path, { recursive: true });
  await folder.remove();
});
