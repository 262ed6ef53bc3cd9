import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FolderLister, identityAt, namesOf } from '../../src/build/folder-lister.js';
import { ScanCrew } from '../../src/build/scan-crew.js';
import { scanFolder } from '../../src/build/scan-folder.js';
import { hidingMatcher, ignoreMatcher } from '../../src/dockerfile/ignore.js';
import { isLadingError } from '../../src/errors/errors.js';
import { hostIdentity, identityNumbers, identityWords } from '../../src/tree/host-identity.js';
import { isSingleFile } from '../../src/tree/listed-children.js';
import { writeFiles } from '../support/building.js';
import { tempDir } from '../support/temp-dir.js';

let folder: string;
beforeEach(async () => {
  folder = writeFiles(await tempDir(), {
    a: 'aaaa',
    'd/b': 'bbbb',
    'd/e/c': 'cccc',
    'd/l': '-> b',
    out: 'out',
    'x/y': '',
  });
});

const print = (path = '', ignore?: string): string =>
  new FolderLister(folder, ignore === undefined ? undefined : ignoreMatcher(ignore)).fingerprint(path).digest;

describe('FolderLister', () => {
  it('lists each folder once, with what stat says', () => {
    const lister = new FolderLister(folder);
    const listing = lister.listing('d');
    expect([...namesOf(listing)].sort()).toEqual(['b', 'e', 'l']);
    const row = namesOf(listing).indexOf('b');
    const stats = statSync(join(folder, 'd/b'), { bigint: true });
    expect(identityNumbers(identityAt(listing, row))).toEqual(identityNumbers(hostIdentity(stats)));
    expect(isSingleFile(listing.rows, row * identityWords)).toBe(true);
    writeFileSync(join(folder, 'd/later'), '');
    expect(lister.listing('d')).toBe(listing);
  });

  it('has the same fingerprint for what has not changed, and for what changed elsewhere', () => {
    const before = [print(), print('d')];
    expect([print(), print('d')]).toEqual(before);
    writeFileSync(join(folder, 'a'), 'changed');
    expect(print('d')).toBe(before[1]);
    expect(print()).not.toBe(before[0]);
  });

  it.each<[string, () => void]>([
    ['a byte, with size and time put back', () => rewritten('d/b', 'BBBB')],
    ['a mode', () => chmodSync(join(folder, 'd/b'), 0o600)],
    ['the mode of a folder', () => chmodSync(join(folder, 'd/e'), 0o700)],
    ['a time', () => utimesSync(join(folder, 'd/b'), 5, 5)],
    ['a name', () => renameSync(join(folder, 'd/b'), join(folder, 'd/bb'))],
    ['what has a name', () => swapped('a', 'd/b')],
    ['where a link leads', () => relinked('d/l', 'x')],
    ['what kind it is', () => relinked('d/b', 'a')],
    ['a file comes, empty', () => writeFileSync(join(folder, 'd/e/new'), '')],
    ['a folder comes, empty', () => mkdirSync(join(folder, 'd/new'))],
    ['a file goes', () => rmSync(join(folder, 'd/e/c'))],
    ['a second name comes', () => linkSync(join(folder, 'd/b'), join(folder, 'second'))],
  ])('has another one when %s changed', (_, change) => {
    const before = print();
    change();
    expect(print()).not.toBe(before);
  });

  it('tells names that are not UTF-8 from one another', () => {
    const name = (byte: number) => Buffer.concat([Buffer.from(`${folder}/d/`), Buffer.from([byte])]);
    writeFileSync(name(0xfe), '');
    const before = print();
    renameSync(name(0xfe), name(0xff));
    expect(print()).not.toBe(before);
  });

  it('has nothing to do with what is hidden', () => {
    const before = print('', 'out\nx/**\n');
    writeFiles(folder, { out: 'changed', 'x/y': 'changed' });
    expect(print('', 'out\nx/**\n')).toBe(before);
    expect(print('', 'out\n')).not.toBe(before);
  });

  it('says from when on the fingerprint can be relied on', () => {
    for (const path of ['a', 'd/b', 'd/e/c', 'out', 'x/y']) utimesSync(join(folder, path), 1e9, 1e9);
    const { settledFrom } = new FolderLister(folder).fingerprint('');
    // A link and times of metadata are of this moment.
    expect(Math.abs(settledFrom / 1e6 - Date.now())).toBeLessThan(60_000);
    utimesSync(join(folder, 'd/e/c'), 4e9, 4e9);
    expect(new FolderLister(folder).fingerprint('').settledFrom).toBe(4e18 + 1e8);
  });
});

describe('scanFolder', () => {
  let crew: ScanCrew | undefined;
  afterEach(async () => await crew?.close());

  async function scanned(lister: FolderLister, path: string, threads: number, signal?: AbortSignal) {
    await crew?.close();
    crew = new ScanCrew(threads);
    return await scanFolder(lister, path, { crew, alone: 10, signal });
  }

  const many = (): void => {
    for (let i = 0; i < 60; i++) {
      for (let j = 0; j < 8; j++)
        writeFiles(folder, { [`m/p${i}/s${j % 3}/f${j}`]: `${i} ${j}`, [`m/p${i}/.log`]: '' });
    }
    symlinkSync('p1', join(folder, 'm/link'));
    spawnSync('mkfifo', [join(folder, 'm/fifo')]);
    linkSync(join(folder, 'a'), join(folder, 'm/p3/again'));
  };

  it.each([
    ['everything', undefined],
    ['what is not ignored', ignoreMatcher('**/.log\nm/p1*\n!m/p1*/s1\n')],
    ['what is not hidden', hidingMatcher('m/p2', ignoreMatcher('out\n'))],
    ['what no file could hide', hidingMatcher(' m', undefined)],
  ])('lists %s, the same by any number of threads', async (_, ignore) => {
    many();
    const alone = new FolderLister(folder, ignore);
    const expected = alone.fingerprint('');
    for (const threads of [0, 1, 3]) {
      const lister = new FolderLister(folder, ignore);
      expect(await scanned(lister, '', threads)).toEqual(expected);
      const paths = alone.listed().paths.split('\0');
      expect(new Set(lister.listed().paths.split('\0'))).toEqual(new Set(paths));
      for (const path of paths) {
        expect(lister.listing(path).names).toBe(alone.listing(path).names);
        expect(lister.listing(path).rows).toEqual(alone.listing(path).rows);
        expect(lister.listing(path).targets).toEqual(alone.listing(path).targets);
        expect(lister.fingerprint(path)).toEqual(alone.fingerprint(path));
      }
    }
  });

  it('keeps what had been listed before', async () => {
    many();
    const lister = new FolderLister(folder);
    const listing = lister.listing('m/p5/s1');
    await scanned(lister, 'm', 2);
    expect(lister.listing('m/p5/s1')).toBe(listing);
  });

  it('asks nobody to list again what has been listed', async () => {
    many();
    const lister = new FolderLister(folder);
    lister.listAll('');
    crew = new ScanCrew(1);
    const work = vi.spyOn(crew, 'work');
    expect(await scanFolder(lister, '', { crew, alone: 10 })).toEqual(new FolderLister(folder).fingerprint(''));
    expect(work).not.toHaveBeenCalled();
  });

  it('ends threads behind the work, and starts them again for more', async () => {
    many();
    crew = new ScanCrew(1);
    const expected = new FolderLister(folder).fingerprint('');
    for (let i = 0; i < 2; i++) {
      expect(await scanFolder(new FolderLister(folder), '', { crew, alone: 10 })).toEqual(expected);
      expect(crew.started).toBe(false);
    }
    const both = [new FolderLister(folder), new FolderLister(folder)];
    const scan = (lister: FolderLister) => scanFolder(lister, '', { crew: crew!, alone: 10 });
    expect(await Promise.all(both.map(scan))).toEqual([expected, expected]);
    await crew.close();
  });

  it('fails with the folder that cannot be listed, whoever came to it', async () => {
    many();
    // Longer than a path can be: nobody can look into it.
    const deep = join('m', ...Array.from({ length: 15 }, () => 'n'.repeat(250)));
    spawnSync('mkdir', ['-p', deep], { cwd: folder });
    spawnSync('sh', ['-c', `cd ${deep} && mkdir -p ${'o'.repeat(250)}/${'o'.repeat(250)}`], { cwd: folder });
    for (const threads of [0, 2]) {
      const failing = scanned(new FolderLister(folder), '', threads);
      await expect(failing).rejects.toSatisfy(error => isLadingError(error, 'IO'));
    }
    spawnSync('rm', ['-rf', join(folder, 'm')]);
  });

  it('ends when it is told to', async () => {
    many();
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(scanned(new FolderLister(folder), '', 1, signal)).rejects.toThrow('enough');
  });
});

function rewritten(path: string, text: string): void {
  const { atime, mtime } = statSync(join(folder, path));
  writeFileSync(join(folder, path), text);
  utimesSync(join(folder, path), atime, mtime);
}

function swapped(a: string, b: string): void {
  renameSync(join(folder, a), join(folder, 'aside'));
  renameSync(join(folder, b), join(folder, a));
  renameSync(join(folder, 'aside'), join(folder, b));
}

function relinked(path: string, target: string): void {
  unlinkSync(join(folder, path));
  symlinkSync(target, join(folder, path));
}
