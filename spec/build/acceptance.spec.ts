import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BuildImageOptions } from '../../src/api/build-image.js';
import { isLadingError } from '../../src/errors/errors.js';
import { built, writeFiles } from '../support/building.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lading-acceptance-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Files = Readonly<Record<string, string>>;

const build = (dockerfileText: string, files: Files = {}, options: Partial<BuildImageOptions> = {}) =>
  built(join(folder, 'store'), writeFiles(join(folder, 'context'), { 'x/': '', ...files }), {
    dockerfileText,
    ...options,
  });

/** Paths, with what links lead to; folders end in `/`. */
async function paths(...args: Parameters<typeof build>): Promise<string[]> {
  const { files } = await build(...args);
  return files.map(line => {
    const [, path, type, target = ''] = /^(\S+) (\w+) \S+ \S+(?:.*( -> .*)|.*)$/.exec(line) ?? [undefined, line];
    return path + (type === 'directory' ? '/' : target);
  });
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    thrown => thrown as unknown,
  );
  if (!isLadingError(error)) throw error ?? new Error('nothing failed');
  return error.code;
}

/** What BuildKit's own tests of its frontend ask for. */
describe('variables', () => {
  const required = 'ARG FOO=${FOO:?"custom error"}\nFROM scratch\n';
  const later = 'FROM scratch\nARG FOO\nARG BAR=${FOO:?"foo missing"}\nENV OUT=$BAR\n';

  it('asks for what must be given, and not when the default does not matter', async () => {
    expect(await codeOf(build(required))).toBe('BAD_SUBSTITUTION');
    await build(required, {}, { buildArgs: { FOO: 'bar' } });
    expect(await codeOf(build(later))).toBe('BAD_SUBSTITUTION');
    for (const buildArgs of [{ FOO: '123' }, { BAR: '123' }] as Array<Record<string, string>>) {
      const { config } = await build(later, {}, { buildArgs });
      expect(config.config?.Env).toContain('OUT=123');
    }
  });

  it.each<[string, string, Record<string, string>, string[]]>([
    [
      'several arguments',
      'ARG a1="foo bar" a2=box\nARG a3="$a2-foo"\nFROM scratch AS busybox\nFROM busy$a2\nARG a3 a4="123 456" a1\nENV O="$a1:$a3:$a4"',
      {},
      ['O=foo bar:box-foo:123 456'],
    ],
    [
      'defaults and patterns',
      'ARG image=idlebox\nFROM scratch AS busybox\nFROM busy${image#idle}\nARG my_arg\nENV my_arg "my_arg=${my_arg:-def_val}"\nENV my_trimmed_arg "${my_arg%%e*}"',
      { my_arg: '' },
      ['my_arg=my_arg=def_val', 'my_trimmed_arg=my_arg=d'],
    ],
    ['no format of printf', 'FROM scratch\nENV myenv foo%sbar', {}, ['myenv=foo%sbar']],
    [
      'the platform that is asked for',
      'ARG TARGETOS\nFROM scratch AS build-freebsd\nFROM build-${TARGETOS}\nARG TARGETPLATFORM TARGETOS\nENV P=$TARGETPLATFORM O=$TARGETOS',
      { TARGETOS: 'freebsd' },
      ['P=linux/amd64', 'O=freebsd'],
    ],
  ])('has %s', async (_, text, buildArgs, env) => {
    const { config } = await build(text, {}, { buildArgs });
    expect(config.config?.Env?.slice(1)).toEqual(env);
  });
});

describe('COPY', () => {
  const tree = { 'foo.go': 'foo', 'bar.go': 'bar', 'sub/dir1/dir2/foo': 'deep' };
  const exclude = { 'a.png': '', 'd1/b.png': '', 'd1/c.jpeg': '', 'd1/d.txt': '', 'd1/s/e.png': '', 'd2/f.mp3': '' };
  const parents = { 'test/a/b/c/d': '', 'test/a/b2/c/d/e': '', 'test/a/b2/c/x': '' };

  it.each<[string, Files, string[]]>([
    ['COPY foo nomatch* /', { foo: '' }, ['foo']],
    ['WORKDIR /w\nENV empty=""\nCOPY foo $empty', { foo: '' }, ['w/', 'w/foo']],
    ["WORKDIR /w\nCOPY foo ''", { foo: '' }, ['w/', 'w/foo']],
    [
      'WORKDIR /var/www\nENV empty=""\nCOPY --link foo $empty\nCOPY --link bar \'\'',
      { foo: '', bar: '' },
      ['var/', 'var/www/', 'var/www/bar', 'var/www/foo'],
    ],
    ['COPY foo /', { bar: '', 'foo/sub': '-> ../bar' }, ['sub -> ../bar']],
    ['COPY foo/sub bar', { bar: '', 'foo/sub': '-> ../bar' }, ['bar']],
    ['COPY foo /', { bar: '', foo: '-> bar' }, ['foo']],
    [
      'COPY sub/l* alllinks/',
      {
        'sub/lfile': '',
        'sub/l0': '-> subfile',
        'sub/subfile': '',
        'sub/l1': '-> second',
        'sub/second': '-> baz',
        'sub/baz': '',
      },
      ['alllinks/', 'alllinks/l0', 'alllinks/l1', 'alllinks/lfile'],
    ],
    ['COPY link/foo .', { 'sub/foo': '', link: '-> sub' }, ['foo']],
    ['COPY *.go /gofiles/', tree, ['gofiles/', 'gofiles/bar.go', 'gofiles/foo.go']],
    ['COPY f*.go foo2.go', tree, ['foo2.go']],
    ['COPY sub/* /subdest/', tree, ['subdest/', 'subdest/dir2/', 'subdest/dir2/foo']],
    ['COPY sub/*/dir2/foo /subdest2/', tree, ['subdest2/', 'subdest2/foo']],
    ['COPY sub/*/dir2/foo /subdest3/bar', tree, ['subdest3/', 'subdest3/bar']],
    [
      'COPY sub/dir1/ subdest4\nCOPY sub/dir1/. subdest5\nCOPY sub/dir1 subdest6',
      tree,
      [4, 5, 6].flatMap(n => [`subdest${n}/`, `subdest${n}/dir2/`, `subdest${n}/dir2/foo`]),
    ],
    [
      'COPY sub sub\nCOPY sub sub\nCOPY foo.go dest/foo.go\nCOPY foo.go dest/foo.go',
      tree,
      ['dest/', 'dest/foo.go', 'sub/', 'sub/dir1/', 'sub/dir1/dir2/', 'sub/dir1/dir2/foo'],
    ],
    [
      'WORKDIR /test1\nWORKDIR test2\nCOPY foo ./\nADD foo ./bar/baz\nWORKDIR ..\nCOPY foo ../',
      { foo: '' },
      ['foo', 'test1/', 'test1/test2/', 'test1/test2/bar/', 'test1/test2/bar/baz', 'test1/test2/foo'],
    ],
    [
      'COPY . /',
      { 'test-äöü.txt': '', 'test-%C3%A4.txt': '', 'test+a.txt': '' },
      ['test+a.txt', 'test-%C3%A4.txt', 'test-äöü.txt', 'x/'],
    ],
    [
      'COPY --exclude=*/*.png --exclude=*/*.jpeg . /1',
      exclude,
      ['1/', '1/a.png', '1/d1/', '1/d1/d.txt', '1/d1/s/', '1/d1/s/e.png', '1/d2/', '1/d2/f.mp3', '1/x/'],
    ],
    ['ADD --exclude=*.mp3 d2/ /3/', exclude, ['3/']],
    ['COPY --exclude=*.txt --exclude=s d* /4/', exclude, ['4/', '4/b.png', '4/c.jpeg', '4/f.mp3']],
    ['ADD --exclude=* d* /6', exclude, ['6/']],
    ['COPY --exclude=*.png a.png /7/', exclude, ['7/', '7/a.png']],
    ['COPY --parents /test/a/b/./c/d /out/', parents, ['out/', 'out/c/', 'out/c/d']],
    [
      'COPY --parents /test/a/b/c/d/. /out/',
      { 'test/a/b/c/d/e': '' },
      [
        'out/',
        'out/test/',
        'out/test/a/',
        'out/test/a/b/',
        'out/test/a/b/c/',
        'out/test/a/b/c/d/',
        'out/test/a/b/c/d/e',
      ],
    ],
    ['COPY --parents /test/a/./b/./c /out/', parents, ['out/', 'out/b/', 'out/b/c/', 'out/b/c/d']],
    [
      'COPY --parents /test/a/./*/c /out/',
      parents,
      ['out/', 'out/b/', 'out/b/c/', 'out/b/c/d', 'out/b2/', 'out/b2/c/', 'out/b2/c/d/', 'out/b2/c/d/e', 'out/b2/c/x'],
    ],
    ['COPY --parents /test/a/b*/./c/**/e /out/', parents, ['out/', 'out/c/', 'out/c/d/', 'out/c/d/e']],
    [
      'COPY --parents /test/a/b/./c /test/./a/b2/c/x /out/',
      parents,
      ['out/', 'out/a/', 'out/a/b2/', 'out/a/b2/c/', 'out/a/b2/c/x', 'out/c/', 'out/c/d'],
    ],
    ['COPY --parents /test/nothing* /out/', parents, ['out/']],
  ])('%s', async (text, files, expected) => {
    expect(await paths(`FROM scratch\n${text}\n`, files)).toEqual(expected);
  });

  it.each([
    ['COPY --chmod=64a foo /', 'INVALID_VALUE'],
    ['ADD --chmod=10000 foo /', 'INVALID_VALUE'],
    ['COPY --parents /nowhere/x /out/', 'SOURCE_NOT_FOUND'],
    ['COPY foo nowhere /', 'SOURCE_NOT_FOUND'],
  ])('refuses %s', async (text, code) => {
    expect(await codeOf(build(`FROM scratch\n${text}\n`, { foo: '' }))).toBe(code);
  });

  it('takes from stages by paths of their root, through their links', async () => {
    const text = `FROM scratch AS build
WORKDIR /foo
COPY out /out
COPY way /
FROM scratch
WORKDIR /here
COPY --from=build /sub/foo .
COPY --from=BUILD sub2/foo bar
COPY --from=0 out/sub/foo /there/
`;
    const files = { 'out/sub/foo': 'f', 'way/sub': '-> /out/sub', 'way/sub2': '-> out/sub' };
    expect(await paths(text, files)).toEqual(['here/', 'here/bar', 'here/foo', 'there/', 'there/foo']);
  });

  it('gives owners and modes to what it makes', async () => {
    const text = `FROM scratch
ARG mode=0777
COPY --chmod=777 foo /parent/foo
COPY --chmod=770 foo /parent/sub/foo
COPY --chmod=\${mode} --chown=1000:2 bar /baz
`;
    expect((await build(text, { foo: '', 'bar/sub': '' })).files).toEqual([
      'baz directory 777 1000:2',
      'baz/sub file 777 1000:2 0',
      'parent directory 777 0:0',
      'parent/foo file 777 0:0 0',
      'parent/sub directory 770 0:0',
      'parent/sub/foo file 770 0:0 0',
    ]);
  });

  it('keeps the owner of a folder that is there, and gives those inside that of the source', async () => {
    const base = 'FROM scratch AS base\nCOPY --chown=1:2 d /dest\n';
    const source = 'FROM scratch AS from\nCOPY --chown=100:200 d /d\n';
    const files = { 'd/sub/f': '' };
    const copied = async (flags: string) =>
      (await build(`${base}${source}FROM base\nCOPY --from=from ${flags}/d /dest\n`, files)).files;
    expect(await copied('')).toEqual([
      'dest directory 755 1:2',
      'dest/sub directory 755 100:200',
      'dest/sub/f file 644 100:200 0',
    ]);
    expect(await copied('--chown=5 ')).toEqual([
      'dest directory 755 1:2',
      'dest/sub directory 755 5:5',
      'dest/sub/f file 644 5:5 0',
    ]);
  });
});

describe('settings', () => {
  it.each<[string, object]>([
    ['FROM scratch\nWORKDIR /foo\nWORKDIR /', { WorkingDir: '/' }],
    ['FROM scratch\nWORKDIR /foo/bar/../baz/', { WorkingDir: '/foo/bar/../baz/' }],
    ['FROM scratch\nWORKDIR /foo/bar/../baz/\nWORKDIR ../x/', { WorkingDir: '/foo/x' }],
    [
      'FROM scratch AS x\nCMD ["test"]\nFROM x\nSHELL ["ls"]\nENTRYPOINT my entrypoint',
      { Entrypoint: ['ls', 'my entrypoint'], Cmd: undefined },
    ],
    ['FROM scratch\nENTRYPOINT []random string', { Entrypoint: ['/bin/sh', '-c', '[]random string'] }],
    ['FROM scratch\nENTRYPOINT ["a"]\nENTRYPOINT []', { Entrypoint: undefined }],
    ['FROM scratch\nCMD', { Cmd: ['/bin/sh', '-c', ''] }],
    ['FROM scratch\nCMD ["a"]\nENTRYPOINT ["b"]', { Entrypoint: ['b'], Cmd: ['a'] }],
    ['FROM scratch\nVOLUME a /b/../c', { Volumes: { a: {}, '/b/../c': {} } }],
    ['FROM scratch\nUSER $UNSET', { User: undefined }],
    ['FROM scratch\nENV A=1 B=2\nENV A=3', { Env: [expect.stringContaining('PATH='), 'A=3', 'B=2'] }],
    ['FROM scratch\nARG A=arg\nENV A=env\nARG A\nLABEL l=$A', { Labels: { l: 'env' } }],
  ])('%s', async (text, config) => {
    const built = (await build(`${text}\n`)).config.config ?? {};
    expect({ ...built, ...config }).toEqual(built);
  });
});
