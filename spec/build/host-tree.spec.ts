import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hostTree } from '../../src/build/host-tree.js';
import { ignoreMatcher } from '../../src/dockerfile/ignore.js';
import { isLadingError } from '../../src/errors/errors.js';
import type { HostContent } from '../../src/layer/host-file.js';
import { hostIdentity, identityNumbers } from '../../src/tree/host-identity.js';
import { lookup } from '../../src/tree/lookup.js';
import type { DirectoryNode, FileNode } from '../../src/tree/node.js';
import { decodePath } from '../../src/tree/path.js';
import { listing } from '../support/tree-of.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lading-host-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('hostTree', () => {
  it('shows files, folders and links as root owns them', () => {
    mkdirSync(join(folder, 'd'), { mode: 0o750 });
    chmodSync(join(folder, 'd'), 0o750);
    writeFileSync(join(folder, 'd/run'), '#!');
    chmodSync(join(folder, 'd/run'), 0o4755);
    symlinkSync('../nowhere', join(folder, 'd/link'));
    expect(listing(hostTree(folder))).toEqual([
      'd directory 750 0:0',
      'd/link symlink 777 0:0 -> ../nowhere',
      'd/run file 4755 0:0 2',
    ]);
  });

  it('takes whole seconds, before 1970 too', () => {
    writeFileSync(join(folder, 'a'), '');
    utimesSync(join(folder, 'a'), 1, 1_234_567_890.75);
    writeFileSync(join(folder, 'b'), '');
    // Node takes negative times for the present one.
    spawnSync('touch', ['-d', '1969-12-31T23:59:58.5Z', join(folder, 'b')]);
    const root = hostTree(folder);
    expect(root.children.get('a')!.mtime).toBe(1_234_567_890);
    expect(root.children.get('b')!.mtime).toBe(-2);
  });

  it('has one node for the names of one file', () => {
    writeFileSync(join(folder, 'a'), 'x');
    linkSync(join(folder, 'a'), join(folder, 'b'));
    expect(listing(hostTree(folder))).toEqual(['a file 644 0:0 1', 'b = a']);
  });

  it('keeps no node of a file with one name, but says what it needs to be read again', () => {
    writeFileSync(join(folder, 'a'), 'x');
    const { children } = hostTree(folder);
    const node = children.get('a')!;
    expect(node).toMatchObject({ type: 'file', single: true, size: 1, content: { path: join(folder, 'a') } });
    expect(children.get('a')).toEqual(node);
    expect(children.get('a')).not.toBe(node);
    const said = hostIdentity(lstatSync(join(folder, 'a'), { bigint: true }));
    const { identity } = (node as FileNode).content as HostContent;
    expect(identityNumbers(identity)).toEqual(identityNumbers(said));
  });

  it('keeps names that are not UTF-8', () => {
    const name = Buffer.concat([Buffer.from(`${folder}/x`), Buffer.from([0xff, 0xfe])]);
    writeFileSync(name, 'bytes');
    expect([...hostTree(folder).children.keys()]).toEqual([decodePath(Buffer.from([0x78, 0xff, 0xfe]))]);
  });

  it('hides what is ignored, without looking into it', () => {
    mkdirSync(join(folder, 'node_modules/deep'), { recursive: true });
    mkdirSync(join(folder, 'out/keep'), { recursive: true });
    mkdirSync(join(folder, 'out/empty'), { recursive: true });
    writeFileSync(join(folder, 'out/keep/me'), '');
    writeFileSync(join(folder, 'a.log'), '');
    const root = hostTree(folder, { ignore: ignoreMatcher('node_modules\n*.log\nout\n!out/keep\n') });
    expect(listing(root)).toEqual([
      'out directory 755 0:0',
      'out/keep directory 755 0:0',
      'out/keep/me file 644 0:0 0',
    ]);
  });

  it('lists folders only when they are looked into', () => {
    mkdirSync(join(folder, 'later'));
    const root = hostTree(folder);
    expect(root.children.has('later')).toBe(true);
    writeFileSync(join(folder, 'later/file'), '');
    expect(lookup(root, 'later/file')).toBeDefined();
  });

  it('takes fifos as they are and sockets as empty files', async () => {
    const made = spawnSync('mkfifo', [join(folder, 'fifo')]).status === 0;
    const server = createServer().listen(join(folder, 'socket'));
    await new Promise(resolve => server.once('listening', resolve));
    const children = hostTree(folder).children;
    expect(children.get('socket')).toMatchObject({ type: 'file', size: 0 });
    if (made) expect(children.get('fifo')?.type).toBe('fifo');
    await new Promise(resolve => server.close(resolve));
  });

  it('says which folder cannot be listed', () => {
    expect(() => hostTree(join(folder, 'missing'))).toThrow(
      expect.toSatisfy(error => isLadingError(error, 'IO') && error.details.errno === 'ENOENT'),
    );
  });

  it('has for a checkout the time that is given, and modes that only follow from what the owner may', () => {
    mkdirSync(join(folder, 'd'));
    for (const [name, mode] of [
      ['run', 0o700],
      ['file', 0o664],
      ['locked', 0o440],
      ['odd', 0o4711],
    ] as const) {
      writeFileSync(join(folder, 'd', name), name);
      chmodSync(join(folder, 'd', name), mode);
    }
    symlinkSync('file', join(folder, 'd/link'));
    chmodSync(join(folder, 'd'), 0o2770);
    const root = hostTree(folder, { checkoutTime: 42 });
    expect(listing(root)).toEqual([
      'd directory 755 0:0',
      'd/file file 644 0:0 4',
      'd/link symlink 777 0:0 -> file',
      'd/locked file 444 0:0 6',
      'd/odd file 755 0:0 3',
      'd/run file 755 0:0 3',
    ]);
    const nodes = [root, ...root.children.values(), ...(root.children.get('d') as DirectoryNode).children.values()];
    expect(new Set(nodes.map(node => node.mtime))).toEqual(new Set([42]));
  });
});
