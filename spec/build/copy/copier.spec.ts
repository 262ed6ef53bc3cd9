import { describe, expect, it } from 'vitest';
import { parseChmod } from '../../../src/build/copy/chmod.js';
import { Copier, type CopierOptions } from '../../../src/build/copy/copier.js';
import { parentsSource } from '../../../src/build/copy/parents.js';
import { patternMatcher } from '../../../src/dockerfile/ignore.js';
import { isLadingError } from '../../../src/errors/errors.js';
import { TreeEditor } from '../../../src/tree/editor.js';
import { lookup } from '../../../src/tree/lookup.js';
import type { DirectoryNode } from '../../../src/tree/node.js';
import { listing, treeOf } from '../../support/tree-of.js';

const source = treeOf({
  'd/x': 'xx',
  'd/sub/y': 'y',
  'd/sub/z.png': 'z',
  file: 'f',
  'l/link': '-> x',
  'a/b/c/d': 'd',
  'a/b/e': 'e',
});

function copy(
  from: string,
  to: string,
  target: Record<string, string> = {},
  options: Partial<CopierOptions> = {},
  parents?: string,
): string[] {
  const editor = new TreeEditor(treeOf(target));
  const copier = new Copier(editor, { epoch: 5, clamp: time => time, ...options });
  const inclusion = parents === undefined ? undefined : parentsSource(parents).inclusion;
  copier.copy(lookup(source, from)!.node, from, to, inclusion);
  return listing(editor.root);
}

const fails = (code: 'PATH_INVALID', work: () => unknown): void =>
  expect(work).toThrow(expect.toSatisfy(error => isLadingError(error, code)));

describe('Copier', () => {
  it('names a single file after its destination, or puts it into a folder', () => {
    expect(copy('file', '/new')).toEqual(['new file 644 0:0 1']);
    expect(copy('file', '/new/')).toEqual(['new directory 755 0:0', 'new/file file 644 0:0 1']);
    expect(copy('file', '/new/.')).toEqual(['new directory 755 0:0', 'new/file file 644 0:0 1']);
    expect(copy('file', '/dir', { 'dir/old': 'o' })).toContain('dir/file file 644 0:0 1');
  });

  it('copies the content of a folder, never the folder itself', () => {
    expect(copy('d', '/app')).toEqual([
      'app directory 755 0:0',
      'app/sub directory 755 0:0',
      'app/sub/y file 644 0:0 1',
      'app/sub/z.png file 644 0:0 1',
      'app/x file 644 0:0 2',
    ]);
    expect(copy('d', '/')).toContain('x file 644 0:0 2');
  });

  it('follows links of the destination inside the root', () => {
    expect(copy('file', '/to/', { real: '-> nowhere', to: '-> /out/there' })).toContain(
      'out/there/file file 644 0:0 1',
    );
    expect(copy('file', '/to', { 'dir/x': 'x', to: '-> dir' })).toContain('dir/file file 644 0:0 1');
    expect(copy('file', '/to', { other: 'oo', to: '-> other' })).toEqual([
      'other file 644 0:0 1',
      'to symlink 777 0:0 -> other',
    ]);
    expect(copy('file', '/up', { up: '-> ../../../etc' })).toContain('etc file 644 0:0 1');
  });

  it('gives owner and octal mode to everything it makes, symbolic modes only to what it copies', () => {
    const owner = { uid: 7, gid: 8 };
    expect(copy('file', '/p/q/', {}, { owner, chmod: parseChmod('700') })).toEqual([
      'p directory 700 7:8',
      'p/q directory 700 7:8',
      'p/q/file file 700 7:8 1',
    ]);
    expect(copy('file', '/p/', {}, { chmod: parseChmod('a+x') })).toEqual([
      'p directory 755 0:0',
      'p/file file 755 0:0 1',
    ]);
  });

  it('leaves folders out that are excluded, but keeps what is taken back in', () => {
    const exclude = patternMatcher(['sub', '!sub/y']);
    expect(copy('d', '/o', {}, { exclude })).toEqual([
      'o directory 755 0:0',
      'o/sub directory 755 0:0',
      'o/sub/y file 644 0:0 1',
      'o/x file 644 0:0 2',
    ]);
    expect(copy('d', '/o', {}, { exclude: patternMatcher(['*']) })).toEqual(['o directory 755 0:0']);
    expect(copy('d', '/o', {}, { exclude: patternMatcher(['*/*.png']) })).not.toContain('o/sub/z.png file 644 0:0 1');
  });

  it('refuses a file over a folder and a folder over a file inside what it merges', () => {
    fails('PATH_INVALID', () => copy('d', '/t', { 't/x/in': '1' }));
    fails('PATH_INVALID', () => copy('d', '/t', { 't/sub': 'file' }));
    fails('PATH_INVALID', () => copy('d', '/t', { 't/sub': '-> elsewhere' }));
    fails('PATH_INVALID', () => copy('d', '/t', { t: 'file' }));
    fails('PATH_INVALID', () => copy('file', '/t/u/', { t: 'file' }));
  });

  it('replaces a link that a file of a folder lands on', () => {
    expect(copy('d', '/t', { 't/x': '-> /secret', secret: 's' })).toContain('t/x file 644 0:0 2');
  });

  it('keeps parents from the pivot on', () => {
    expect(copy('', '/out/', {}, {}, 'a/b/c')).toEqual([
      'out directory 755 0:0',
      'out/a directory 755 0:0',
      'out/a/b directory 755 0:0',
      'out/a/b/c directory 755 0:0',
      'out/a/b/c/d file 644 0:0 1',
    ]);
    expect(copy('a', '/out/', {}, {}, 'a/./b/c')).toEqual([
      'out directory 755 0:0',
      'out/b directory 755 0:0',
      'out/b/c directory 755 0:0',
      'out/b/c/d file 644 0:0 1',
    ]);
    expect(copy('', '/out/', {}, {}, '**/e')).toContain('out/a/b/e file 644 0:0 1');
    expect(copy('', '/out/', {}, {}, 'a/*/e')).not.toContain('out/a/b/c directory 755 0:0');
  });

  it('gives folders that it makes no set-id or sticky bits', () => {
    const options = { chmod: parseChmod('7750') };
    expect(copy('d', '/p/q', {}, options)).toEqual([
      'p directory 750 0:0',
      'p/q directory 750 0:0',
      'p/q/sub directory 7750 0:0',
      'p/q/sub/y file 7750 0:0 1',
      'p/q/sub/z.png file 7750 0:0 1',
      'p/q/x file 7750 0:0 2',
    ]);
  });

  it('makes folders in one with setgid as the kernel does: with the bit, and of its group', () => {
    const made = (options: Partial<CopierOptions>): string[] => {
      const target = new TreeEditor(treeOf({ 'shared/f': '' }));
      target.set('shared', { ...(target.get('shared') as DirectoryNode), mode: 0o2770, uid: 1, gid: 2 });
      new Copier(target, { epoch: 9, clamp: time => time, ...options }).copy(
        lookup(source, 'd')!.node,
        'd',
        '/shared/a/b',
      );
      return listing(target.root).filter(line => line.includes('directory'));
    };
    expect(made({})).toEqual([
      'shared directory 2770 1:2',
      'shared/a directory 2755 0:2',
      'shared/a/b directory 2755 0:2',
      'shared/a/b/sub directory 755 0:0',
    ]);
    expect(made({ owner: { uid: 5, gid: 6 }, chmod: parseChmod('700') })).toEqual([
      'shared directory 2770 1:2',
      'shared/a directory 2700 5:6',
      'shared/a/b directory 2700 5:6',
      'shared/a/b/sub directory 700 5:6',
    ]);
  });

  it('gives a folder that is there, on the way to what is wanted, the mode alone', () => {
    const owner = { uid: 5, gid: 6 };
    const target = new TreeEditor(treeOf({ 'b/old': '' }));
    target.set('b', { ...(target.get('b') as DirectoryNode), mode: 0o700, uid: 1, gid: 2, mtime: 3 });
    const copier = new Copier(target, { epoch: 9, clamp: time => time, owner });
    copier.copy(lookup(source, 'a')!.node, 'a', '/', parentsSource('b/c').inclusion);
    expect(target.get('b')).toMatchObject({ mode: 0o755, uid: 1, gid: 2, mtime: 3 });
    expect(target.get('b/c')).toMatchObject(owner);
  });

  it('keeps hard links of one copy together', () => {
    const shared = treeOf({ 'd/one': '1' });
    const editor = new TreeEditor(shared);
    editor.set('d/two', editor.get('d/one')!);
    const target = new TreeEditor(treeOf({}));
    new Copier(target, { epoch: 0, clamp: time => time }).copy(lookup(editor.root, 'd')!.node, 'd', '/x');
    expect(listing(target.root)).toEqual(['x directory 755 0:0', 'x/one file 644 0:0 1', 'x/two = x/one']);
  });

  it('bears trees as deep as they can be, and puts none at the bottom of another', () => {
    const deepest = Array(2047).fill('d').join('/');
    const tree = treeOf({ [`${deepest}/f`]: 'x' });
    const editor = new TreeEditor(treeOf({}));
    const copier = new Copier(editor, { epoch: 5, clamp: time => time });
    copier.copy(tree, '', '/');
    expect(listing(editor.root)).toHaveLength(2048);
    // What is copied whole is looked into when it is walked.
    fails('PATH_INVALID', () => {
      copier.copy(tree, '', `/${deepest}`);
      listing(editor.root);
    });
  });
});
