import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeFolder } from '../../src/layer/make-folder.js';
import { tempDir } from '../support/temp-dir.js';

it('makes a folder and those above it, once', async () => {
  const root = await tempDir();
  for (const path of ['a/b/c', 'a/b/c', 'a', 'link/d']) {
    if (path === 'link/d') symlinkSync('a/b', join(root, 'link'));
    makeFolder(join(root, path));
    expect(statSync(join(root, path)).isDirectory()).toBe(true);
  }
  expect(statSync(join(root, 'a/b/d')).isDirectory()).toBe(true);
  makeFolder('/');
});

it('says what is in the way', async () => {
  const root = await tempDir();
  writeFileSync(join(root, 'file'), '');
  mkdirSync(join(root, 'folder'));
  symlinkSync('nowhere/at/all', join(root, 'dangling'));
  expect(() => makeFolder(join(root, 'file'))).toThrow('EEXIST');
  expect(() => makeFolder(join(root, 'file', 'a', 'b'))).toThrow('ENOTDIR');
  expect(() => makeFolder(join(root, 'dangling'))).toThrow('EEXIST');
});

it.runIf(process.platform === 'linux')('comes back where nothing can be made', () => {
  expect(() => makeFolder('/proc/none/a/b')).toThrow('ENOENT');
});
