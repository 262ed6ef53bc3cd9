import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BuildImageOptions } from '../../src/api/build-image.js';
import { type ErrorCode, isLadingError } from '../../src/errors/errors.js';
import { openStore } from '../../src/store/store.js';
import type { Bytes } from '../../src/stream/bytes.js';
import { type Built, built, writeFiles } from '../support/building.js';
import { GitRepository, type GitServer, gitServer } from '../support/git-server.js';
import { describeWith } from '../support/programs.js';
import { webServer } from '../support/web-server.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lading-context-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const dockerfile = 'FROM scratch\nCOPY . /c/\n';
const listed = [
  'c directory 755 0:0',
  'c/.dockerignore file 644 5:6 2',
  'c/Dockerfile file 644 5:6 24',
  'c/b file 644 5:6 1',
  'c/d directory 755 5:6',
  'c/d/l symlink 777 5:6 -> ../b',
];

/** A tar of files; everything in it belongs to 5:6. */
function tarOf(files: Readonly<Record<string, string>>, ...args: string[]): Buffer {
  const from = writeFiles(mkdtempSync(join(folder, 'tar-')), files);
  const owner = ['--owner=5', '--group=6', '--mode=u=rwX,go=rX', '--sort=name'];
  const { status, stdout, stderr } = spawnSync('tar', ['-c', ...owner, ...args, '-C', from, '.']);
  if (status !== 0) throw new Error(String(stderr));
  return stdout;
}

/** In pieces of a few bytes, so that nothing depends on where they end. */
async function* pieces(bytes: Uint8Array, size = 100): Bytes & AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function build(options: Partial<BuildImageOptions>): Promise<Built> {
  return built(join(folder, 'store'), '', { context: undefined, ...options });
}

async function codeOf(work: Promise<unknown>): Promise<ErrorCode | undefined> {
  const error = await work.then(
    () => undefined,
    thrown => thrown as unknown,
  );
  if (error !== undefined && !isLadingError(error)) throw error;
  return error?.code;
}

const files = { Dockerfile: dockerfile, '.dockerignore': 'b\n', b: 'b', 'd/l': '-> ../b' };

describe('a context as bytes', () => {
  it.each([
    ['tar', (tar: Buffer) => tar],
    ['gzip', (tar: Buffer) => gzipSync(tar)],
  ])('is the files of a %s, whatever its ignore file says', async (_, pack) => {
    const result = await build({ contextContent: pieces(pack(tarOf(files))) });
    expect(result.files).toEqual(listed);
  });

  it.each([['--format=v7'], ['--format=pax'], ['--format=gnu']])('may be of %s', async format => {
    expect((await build({ contextContent: pieces(tarOf(files, format)) })).files).toEqual(listed);
  });

  it('gives the image that the folder gives, but for owners', async () => {
    const content = { Dockerfile: 'FROM scratch\nCOPY --chown=1:1 a b* d /c/\n', a: 'a', b1: '1', 'd/x': 'x' };
    const one = await built(join(folder, 'one'), writeFiles(join(folder, 'content'), content));
    const two = await build({ contextContent: pieces(tarOf(content)) });
    expect(two.files).toEqual(one.files);
  });

  it('has its Dockerfile wherever it is said to be', async () => {
    const tar = tarOf({ 'sub/build.txt': 'FROM scratch\nCOPY a /a\n', a: 'a', dockerfile: 'FROM scratch\n' });
    const named = await build({ contextContent: pieces(tar), dockerfile: './sub/build.txt' });
    expect(named.files).toEqual(['a file 644 5:6 1']);
    expect((await build({ contextContent: pieces(tar) })).files).toEqual([]);
    const text = await build({ contextContent: pieces(tar), dockerfileText: 'FROM scratch\nCOPY a /b\n' });
    expect(text.files).toEqual(['b file 644 5:6 1']);
  });

  it('may be a Dockerfile alone', async () => {
    const result = await build({ contextContent: pieces(Buffer.from('FROM scratch\nLABEL a=b\n'), 3) });
    expect(result.config.config?.Labels).toEqual({ a: 'b' });
    const copying = build({ contextContent: pieces(Buffer.from(dockerfile.replace('.', 'x'))) });
    expect(await codeOf(copying)).toBe('SOURCE_NOT_FOUND');
  });

  it.each([
    ['a Dockerfile besides another', Buffer.from('FROM scratch\n'), { dockerfile: 'x' }, 'USAGE'],
    ['an archive without a Dockerfile', 'no-dockerfile', {}, 'IO'],
    ['compressed text', gzipSync('FROM scratch\n'), {}, 'INVALID_ARCHIVE'],
    ['a gzip that ends early', 'cut-gzip', {}, 'CORRUPT_STREAM'],
    ['a tar that ends early', 'cut', {}, 'INVALID_ARCHIVE'],
    ['an archive that goes through a file', 'through', {}, 'INVALID_ARCHIVE'],
  ] as const)('fails for %s', async (_, bytes, options, code) => {
    const made = {
      'no-dockerfile': () => tarOf({ a: 'a' }),
      'cut-gzip': () => gzipSync(tarOf({ ...files, big: 'x'.repeat(100_000) }), { level: 0 }).subarray(0, 50_000),
      cut: () => tarOf({ Dockerfile: 'FROM scratch\n', big: 'x'.repeat(100_000) }).subarray(0, 50_000),
      through: () => tarOf({ ...files, f: 'x', 'g/h': 'y' }, '--transform', 's,^\\(./\\)*g/h,f/h,'),
    };
    const content = typeof bytes === 'string' ? made[bytes]() : bytes;
    expect(await codeOf(build({ contextContent: pieces(content, 4096), ...options }))).toBe(code);
    const left = readdirSync(join(folder, 'store'), { recursive: true, encoding: 'utf8' });
    expect(left.filter(name => name.includes('archive-'))).toEqual([]);
  });

  it.each([
    ['at once', 0],
    ['inside an archive', 4096],
  ])('can be given up while nothing comes, %s', async (_, size) => {
    const controller = new AbortController();
    async function* stalled(): AsyncGenerator<Uint8Array> {
      if (size > 0) yield tarOf(files).subarray(0, size);
      setTimeout(() => controller.abort(new Error('enough')), 20);
      await new Promise(() => {});
    }
    const work = build({ contextContent: stalled(), signal: controller.signal });
    await expect(work).rejects.toThrow('enough');
  });
});

describe('a context on the web', () => {
  it('is an archive or a Dockerfile, as its content says', async () => {
    const contents: Record<string, Buffer> = {
      '/context': gzipSync(tarOf(files)),
      '/text.tar.gz': Buffer.from('FROM scratch\nLABEL a=b\n'),
    };
    const server = await webServer((request, response) => {
      const content = contents[request.url!];
      response.writeHead(content === undefined ? 404 : 200).end(content);
    });
    try {
      expect((await build({ context: `${server.url}/context`, pull: 'missing' })).files).toEqual(listed);
      const text = await build({ context: `${server.url}/text.tar.gz`, pull: 'missing' });
      expect(text.config.config?.Labels).toEqual({ a: 'b' });
      expect(await codeOf(build({ context: `${server.url}/none`, pull: 'missing' }))).toBe('REMOTE_FILE');
      expect(await codeOf(build({ context: `${server.url}/unknown`, pull: 'never' }))).toBe('REMOTE_FILE');
      expect((await build({ context: `${server.url}/context`, pull: 'never' })).files).toEqual(listed);
    } finally {
      await server.close();
    }
  });
});

describe('a context in a folder', () => {
  const inFolder = (options: Partial<BuildImageOptions> = {}): Promise<Built> =>
    built(join(folder, 'store'), join(folder, 'app'), { directory: folder, ...options });

  it('has its Dockerfile under either name, or elsewhere, or behind a link', async () => {
    writeFiles(join(folder, 'app'), { a: 'a', dockerfile: 'FROM scratch\nCOPY a /lower\n' });
    writeFiles(folder, { 'other/build.txt': 'FROM scratch\nCOPY a /other\n', 'app/way': '-> ../other/build.txt' });
    expect((await inFolder()).files).toEqual(['lower file 644 0:0 1']);
    writeFiles(join(folder, 'app'), { Dockerfile: 'FROM scratch\nCOPY a /upper\n' });
    expect((await inFolder()).files).toEqual(['upper file 644 0:0 1']);
    expect((await inFolder({ dockerfile: 'other/build.txt' })).files).toEqual(['other file 644 0:0 1']);
    expect((await inFolder({ dockerfile: 'app/way' })).files).toEqual(['other file 644 0:0 1']);
  });

  it('has the ignore file of its Dockerfile, else its own, and never both', async () => {
    writeFiles(join(folder, 'app'), { a: '', b: '', Dockerfile: dockerfile, '.dockerignore': 'a\n[D.]*\n' });
    writeFiles(folder, { 'x/build': dockerfile, 'x/build.dockerignore': 'b\nD*\n.d*\n' });
    const names = async (options?: Partial<BuildImageOptions>) =>
      (await inFolder(options)).files.slice(1).map(line => line.split(' ')[0]);
    expect(await names()).toEqual(['c/b']);
    expect(await names({ dockerfile: 'x/build' })).toEqual(['c/a']);
    writeFiles(folder, { 'x/build.dockerignore': '' });
    expect(await names({ dockerfile: 'x/build' })).toEqual(['c/.dockerignore', 'c/Dockerfile', 'c/a', 'c/b']);
  });

  it('may ignore its Dockerfile and still be built', async () => {
    writeFiles(join(folder, 'app'), { a: '', Dockerfile: dockerfile, '.dockerignore': '*\n!a\n' });
    expect((await inFolder()).files).toEqual(['c directory 755 0:0', 'c/a file 644 0:0 0']);
    writeFiles(join(folder, 'app'), { Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
    expect(await codeOf(inFolder())).toBe('SOURCE_NOT_FOUND');
  });

  it('refuses an ignore file that no pattern can be read from', async () => {
    writeFiles(join(folder, 'app'), { Dockerfile: dockerfile, '.dockerignore': '!\n' });
    expect(await codeOf(inFolder())).toBe('INVALID_DOCUMENT');
  });
});

describeWith(['git'], 'a context in a Git repository', () => {
  let server: GitServer;
  let repository: GitRepository;
  beforeEach(async () => {
    server = await gitServer(join(folder, 'served'));
    repository = new GitRepository(join(folder, 'served/name'));
    const inner = 'FROM scratch\nCOPY . /s/\n';
    repository.commit({
      ...files,
      'sub/Dockerfile': inner,
      'sub/other.txt': 'FROM scratch\n',
      'sub/link': '-> other.txt',
    });
  });
  afterEach(() => server.close());

  function from(rest: string, options: Partial<BuildImageOptions> = {}): Promise<Built> {
    return build({ context: `${server.url}/name/.git${rest}`, pull: 'missing', env: process.env, ...options });
  }

  it('is its files, whatever its ignore file says', async () => {
    const root = [
      'c directory 755 0:0',
      'c/.dockerignore file 644 0:0 2',
      'c/Dockerfile file 644 0:0 24',
      'c/b file 644 0:0 1',
      'c/d directory 755 0:0',
      'c/d/l symlink 777 0:0 -> ../b',
      'c/sub directory 755 0:0',
      'c/sub/Dockerfile file 644 0:0 24',
      'c/sub/link symlink 777 0:0 -> other.txt',
      'c/sub/other.txt file 644 0:0 13',
    ];
    expect((await from('')).files).toEqual(root);
    expect((await from('#main')).files).toEqual(root);
    const sub = root.slice(-3).map(line => line.replace('c/sub/', 's/'));
    expect((await from('#main:sub')).files).toEqual(['s directory 755 0:0', ...sub]);
    expect((await from('?branch=main&subdir=sub')).files).toEqual(['s directory 755 0:0', ...sub]);
  });

  it('has the Dockerfile that is named: inside, on this machine, or as text', async () => {
    expect((await from('', { dockerfile: 'sub/other.txt' })).files).toEqual([]);
    expect((await from('#:sub', { dockerfile: './link' })).files).toEqual([]);
    const local = join(folder, 'local');
    writeFiles(folder, { local: 'FROM scratch\nCOPY b /local\n' });
    expect((await from('', { dockerfile: local })).files).toEqual(['local file 644 0:0 1']);
    const text = 'FROM scratch\nCOPY b /text\n';
    expect((await from('', { dockerfileText: text })).files).toEqual(['text file 644 0:0 1']);
    expect(await codeOf(from('', { dockerfile: 'nothing' }))).toBe('IO');
    expect(await codeOf(from('', { dockerfile: '../../local' }))).toBe('IO');
  });

  it('keeps .git when it is asked to', async () => {
    const text = 'FROM scratch\nCOPY .git/HEAD /\n';
    for (const value of ['1', 'true']) {
      const buildArgs = { BUILDKIT_CONTEXT_KEEP_GIT_DIR: value };
      expect((await from('', { dockerfileText: text, buildArgs })).files).toHaveLength(1);
    }
    expect((await from('?keep-git-dir=1', { dockerfileText: text })).files).toHaveLength(1);
    const buildArgs = { BUILDKIT_CONTEXT_KEEP_GIT_DIR: 'maybe' };
    expect(await codeOf(from('', { dockerfileText: text, buildArgs }))).toBe('SOURCE_NOT_FOUND');
  });

  it('gives the same image each time', async () => {
    const one = await from('?keep-git-dir=true');
    const two = await from('?keep-git-dir=true', { store: await openStore(join(folder, 'another')) });
    await two.store.close();
    expect(two.descriptor).toEqual(one.descriptor);
  });

  it('is the folder of that name where there is one', async () => {
    const context = join(folder, 'github.com/owner/name');
    writeFiles(context, { Dockerfile: 'FROM scratch\nLABEL a=folder\n' });
    const before = process.cwd();
    process.chdir(folder);
    try {
      const result = await build({ context: 'github.com/owner/name' });
      expect(result.config.config?.Labels).toEqual({ a: 'folder' });
    } finally {
      process.chdir(before);
    }
  });

  it.each([
    ['#nothing', 'GIT_REPOSITORY'],
    ['#:nothing', 'PATH_NOT_FOUND'],
    ['?depth=1', 'INVALID_VALUE'],
    ['?checksum=ffff', 'DIGEST_MISMATCH'],
    ['?ref=a&tag=b', 'INVALID_VALUE'],
  ] as const)('fails for %s', async (rest, code) => {
    expect(await codeOf(from(rest))).toBe(code);
    const left = readdirSync(join(folder, 'store'), { recursive: true, encoding: 'utf8' });
    expect(left.filter(name => name.includes('git-'))).toEqual([]);
  });

  it('is not asked for offline', async () => {
    expect(await codeOf(from('', { pull: 'never' }))).toBe('GIT_REPOSITORY');
  });
});
