import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { LayerEntry } from '../../src/layer/entry.js';
import { type UnpackOptions, type UnpackReport, unpackEntries } from '../../src/layer/unpack.js';
import { digestOf } from '../../src/oci/digest.js';
import type { LayerRef } from '../../src/tree/node.js';
import {
  fileEntry,
  folderEntry,
  hostEntries,
  noLayers,
  openFiles,
  owner,
  symlinkEntry,
  tempDir,
} from './layer-files.js';

const unpack = (
  entries: Iterable<LayerEntry>,
  root: string,
  options: Partial<UnpackOptions> = {},
): Promise<UnpackReport> => unpackEntries(entries, root, { ownership: 'none', read: noLayers, ...options });

const isRoot = process.getuid?.() === 0;
const layer: LayerRef = { diffId: digestOf('l'), blob: { mediaType: '', digest: digestOf('b'), size: 0 } };

/** A root to write into, and a folder beside it that must stay as it is. */
function places(): { readonly root: string; readonly outside: string } {
  const folder = tempDir();
  const outside = join(folder, 'outside');
  fs.mkdirSync(outside);
  fs.writeFileSync(join(outside, 'secret'), 'secret');
  onTestFinished(() => {
    expect(fs.readdirSync(outside)).toEqual(['secret']);
    expect(fs.readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
    expect(openFiles().filter(path => path.startsWith(folder))).toEqual([]);
  });
  return { root: join(folder, 'root'), outside };
}

describe('unpackEntries', () => {
  it('writes files, folders and links with modes and times, whatever the umask', async () => {
    const { root } = places();
    const umask = process.umask(0o077);
    onTestFinished(() => void process.umask(umask));
    const report = await unpack(
      [
        folderEntry('d', 0o1777),
        fileEntry('d/f', 'content', { mode: 0o4755, mtime: 1_000_000_000 }),
        { path: 'd/again', hardlink: 'd/f' },
        symlinkEntry('d/link', '../nowhere'),
        fileEntry('d/raw\udcff\nname', 'raw'),
        folderEntry('closed', 0o555),
        fileEntry('closed/f', 'x', { mode: 0o400 }),
        fileEntry('implied/parent/f', ''),
        fileEntry('old', '', { mtime: -86400 }),
      ],
      root,
    );
    expect(report).toEqual({ skipped: [] });
    const stat = (path: string): fs.Stats => fs.lstatSync(join(root, path));
    expect(stat('d').mode & 0o7777).toBe(0o1777);
    expect(stat('d').mtimeMs).toBe(owner.mtime * 1000);
    expect(stat('d/f').mode & 0o7777).toBe(0o4755);
    expect(stat('d/f').mtimeMs).toBe(1_000_000_000_000);
    expect(stat('d/again').ino).toBe(stat('d/f').ino);
    expect(fs.readlinkSync(join(root, 'd/link'))).toBe('../nowhere');
    expect(stat('d/link').mtimeMs).toBe(owner.mtime * 1000);
    expect(
      fs
        .readFileSync(Buffer.concat([Buffer.from(join(root, 'd/raw')), Buffer.from([0xff]), Buffer.from('\nname')]))
        .toString(),
    ).toBe('raw');
    expect(stat('closed').mode & 0o777).toBe(0o555);
    expect(stat('closed/f').mode & 0o777).toBe(0o400);
    expect(stat('old').mtimeMs).toBe(-86_400_000);
    if (isRoot) fs.chmodSync(join(root, 'closed'), 0o755);
  });

  it.runIf(isRoot)('keeps owners and setuid bits when told to', async () => {
    const { root } = places();
    const owned = { ...owner, uid: 1234, gid: 5678 };
    const entries: LayerEntry[] = [
      { path: 'd', node: { type: 'directory', mode: 0o2750, ...owned } },
      fileEntry('d/f', 'x', { ...owned, mode: 0o6755 }),
      { path: 'd/l', node: { type: 'symlink', mode: 0o777, ...owned, target: 'f' } },
      { path: 'd/p', node: { type: 'fifo', mode: 0o620, ...owned } },
    ];
    await unpack(entries, root, { ownership: 'keep' });
    for (const name of ['d', 'd/f', 'd/l', 'd/p']) {
      expect(fs.lstatSync(join(root, name))).toMatchObject({ uid: 1234, gid: 5678 });
    }
    expect(fs.lstatSync(join(root, 'd/f')).mode & 0o7777).toBe(0o6755);
    expect(fs.lstatSync(join(root, 'd')).mode & 0o7777).toBe(0o2750);
    expect(fs.lstatSync(join(root, 'd/p')).isFIFO()).toBe(true);
    expect(fs.lstatSync(join(root, 'd/p')).mode & 0o777).toBe(0o620);
    await unpack(entries, join(root, 'none'));
    expect(fs.lstatSync(join(root, 'none/d/f'))).toMatchObject({ uid: 0, gid: 0 });
  });

  it('makes devices or says that it could not', async () => {
    const { root } = places();
    const { skipped } = await unpack(
      [
        { path: 'null', node: { type: 'character', mode: 0o666, ...owner, major: 1, minor: 3 } },
        { path: '-p', node: { type: 'fifo', mode: 0o600, ...owner } },
        { path: 'p\udcff', node: { type: 'fifo', mode: 0o600, ...owner } },
        fileEntry('caps', '', { xattrs: { 'security.capability': 'x' } }),
      ],
      root,
    );
    expect(skipped).toContainEqual({ path: 'p\udcff', what: 'fifo' });
    expect(skipped).toContainEqual({ path: 'caps', what: 'xattrs' });
    const made = fs.lstatSync(join(root, 'null'), { throwIfNoEntry: false });
    if (made === undefined) expect(skipped).toContainEqual({ path: 'null', what: 'device' });
    else expect([made.isCharacterDevice(), made.rdev, made.mode & 0o777]).toEqual([true, 0x103, 0o666]);
    expect(fs.lstatSync(join(root, '-p')).isFIFO()).toBe(true);
  });

  it('gives a copied folder back as it was', async () => {
    const { root } = places();
    const source = tempDir();
    execFileSync(
      'sh',
      ['-c', 'mkdir -p a/b/c; echo 1 > a/b/c/f; ln -s c/f a/b/l; head -c 3000000 /dev/urandom > big; touch e'],
      { cwd: source },
    );
    await unpack(hostEntries(source), root);
    execFileSync('diff', ['-r', '--no-dereference', source, root]);
  });

  it('replaces what is in the way, and merges folders', async () => {
    const { root } = places();
    execFileSync('sh', [
      '-c',
      `mkdir -p ${root}/kept ${root}/file/deep; echo a > ${root}/kept/a; echo b > ${root}/folder; echo c > ${root}/link; ln -s x ${root}/f`,
    ]);
    await unpack(
      [
        fileEntry('f', 'new'),
        fileEntry('file', 'was a folder'),
        folderEntry('folder'),
        folderEntry('kept', 0o700),
        fileEntry('kept/b', 'b'),
        symlinkEntry('link', 'kept/b'),
        { path: 'never-there', whiteout: true },
        { path: 'kept/a', whiteout: true },
      ],
      root,
    );
    expect(fs.readFileSync(join(root, 'f'), 'utf8')).toBe('new');
    expect(fs.readFileSync(join(root, 'file'), 'utf8')).toBe('was a folder');
    expect(fs.readdirSync(join(root, 'kept'))).toEqual(['b']);
    expect(fs.statSync(join(root, 'kept')).mode & 0o777).toBe(0o700);
    expect(fs.readlinkSync(join(root, 'link'))).toBe('kept/b');
    await unpack([folderEntry('x', 0o700), fileEntry('x/y', ''), fileEntry('x', 'now a file')], root);
    expect(fs.lstatSync(join(root, 'x')).isFile()).toBe(true);
  });

  it('reads content from layers, and checks it', async () => {
    const { root } = places();
    const entry = fileEntry('f', 'content', {
      content: { kind: 'layer', layer, offset: 512 },
      digest: digestOf('content'),
    });
    const reading = (text: string): Pick<UnpackOptions, 'read'> => ({
      read: async () => Readable.from([Buffer.from(text)]),
    });
    await unpack([entry], root, reading('content'));
    expect(fs.readFileSync(join(root, 'f'), 'utf8')).toBe('content');
    await expect(unpack([entry], root, reading('c0ntent'))).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    await expect(unpack([entry], root, reading('short'))).rejects.toMatchObject({ code: 'CORRUPT_STREAM' });
  });

  it('can be aborted and closes everything', async () => {
    const { root } = places();
    const controller = new AbortController();
    const entries = function* (): Generator<LayerEntry> {
      for (let i = 0; ; i++) {
        if (i === 200) controller.abort(new Error('enough'));
        yield fileEntry(`d${i % 7}/f${i}`, 'x');
      }
    };
    await expect(unpack(entries(), root, { signal: controller.signal })).rejects.toThrow('enough');
  });

  it('bears folders far below', async () => {
    const { root } = places();
    const deep = Array.from({ length: 150 }, (_, i) => `d${i}`);
    const paths = deep.map((_, i) => deep.slice(0, i + 1).join('/'));
    await unpack(
      [...paths.map(path => folderEntry(path)), fileEntry(`${paths.at(-1)}/f`, 'x'), fileEntry('d0/g', 'y')],
      root,
    );
    expect(fs.readFileSync(join(root, paths.at(-1)!, 'f'), 'utf8')).toBe('x');
  });
});

describe('unpackEntries, against what would lead it out of its root', () => {
  it('does not write through links that are there', async () => {
    const { root, outside } = places();
    fs.mkdirSync(root);
    fs.symlinkSync(outside, join(root, 'd'));
    fs.symlinkSync(join(outside, 'secret'), join(root, 'f'));
    fs.symlinkSync(join(outside, 'new'), join(root, 'g'));
    await expect(unpack([fileEntry('d/f', 'evil')], root)).rejects.toMatchObject({ code: 'PATH_INVALID' });
    await expect(unpack([fileEntry('d/deeper/f', 'evil')], root)).rejects.toMatchObject({ code: 'PATH_INVALID' });
    await unpack(
      [fileEntry('f', 'mine', { mode: 0o777 }), fileEntry('g', 'mine'), folderEntry('d'), fileEntry('d/f', 'x')],
      root,
    );
    expect(fs.lstatSync(join(root, 'f')).isFile()).toBe(true);
    expect(fs.lstatSync(join(root, 'd')).isDirectory()).toBe(true);
  });

  it('does not write through links that the entries make', async () => {
    const { root, outside } = places();
    const entries = [symlinkEntry('l', outside), fileEntry('l/f', 'evil')];
    await expect(unpack(entries, root)).rejects.toMatchObject({ code: 'PATH_INVALID' });
    await expect(unpack([symlinkEntry('l', '../outside'), folderEntry('l/d')], root)).rejects.toMatchObject({
      code: 'PATH_INVALID',
    });
  });

  it('does not link to or through what is outside', async () => {
    const { root, outside } = places();
    const link = (hardlink: string): LayerEntry => ({ path: 'mine', hardlink });
    await expect(unpack([symlinkEntry('l', outside), link('l/secret')], root)).rejects.toMatchObject({
      code: 'PATH_INVALID',
    });
    await expect(unpack([link('../outside/secret')], root)).rejects.toMatchObject({ code: 'PATH_INVALID' });
    await expect(unpack([link('missing')], root)).rejects.toMatchObject({ code: 'PATH_NOT_FOUND' });
    await expect(unpack([link('mine')], root)).rejects.toMatchObject({ code: 'PATH_NOT_FOUND' });
    // A link to a link is a link to the link itself.
    await unpack([symlinkEntry('s', join(outside, 'secret')), link('s')], root);
    expect(fs.lstatSync(join(root, 'mine')).isSymbolicLink()).toBe(true);
  });

  it.each(['../f', 'a/../../f', '..', './f', 'a//f', '/f', 'a/', 'nul\0f', 'a/.'])(
    'refuses the path %j',
    async path => {
      const { root } = places();
      await expect(unpack([fileEntry(path, 'evil')], root)).rejects.toMatchObject({ code: 'PATH_INVALID' });
      await expect(unpack([{ path, whiteout: true }], root)).rejects.toMatchObject({ code: 'PATH_INVALID' });
    },
  );

  it('removes links, not what they point to', async () => {
    const { root, outside } = places();
    fs.mkdirSync(join(root, 'd'), { recursive: true });
    fs.symlinkSync(outside, join(root, 'd', 'l'));
    fs.symlinkSync(outside, join(root, 'm'));
    await unpack(
      [
        { path: 'd', whiteout: true },
        { path: 'm', whiteout: true },
      ],
      root,
    );
    expect(fs.readdirSync(root)).toEqual([]);
  });

  it.runIf(process.platform === 'linux')(
    'CVE-2025-47290: wins against a process that swaps folders for links',
    async () => {
      const { root, outside } = places();
      fs.mkdirSync(join(root, 'd'), { recursive: true });
      const swap = `
      const fs = require('node:fs');
      const [root, outside] = process.argv.slice(1);
      process.stdout.write('ready');
      for (;;) {
        try {
          fs.renameSync(root + '/d', root + '/d2');
          fs.symlinkSync(outside, root + '/d');
          fs.unlinkSync(root + '/d');
          fs.renameSync(root + '/d2', root + '/d');
        } catch {}
      }`;
      const attacker: ChildProcess = spawn(process.execPath, ['-e', swap, root, outside], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      onTestFinished(() => void attacker.kill('SIGKILL'));
      await new Promise(resolve => attacker.stdout!.once('data', resolve));
      const codes = new Set<string>();
      for (let round = 0; round < 150; round++) {
        const entries = Array.from({ length: 20 }, (_, i) => [
          fileEntry(`d/f${i}`, 'x'),
          fileEntry(`e/f${i}`, 'x'),
        ]).flat();
        await unpack(entries, root).catch(error => codes.add(error.code));
      }
      for (const code of codes) expect(['PATH_INVALID', 'IO']).toContain(code);
    },
  );
});
