import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BuildImageOptions } from '../../src/api/build-image.js';
import { type ErrorCode, isLadingError } from '../../src/errors/errors.js';
import { type Built, built, writeFiles } from '../support/building.js';
import { GitRepository, type GitServer, gitServer } from '../support/git-server.js';
import { describeWith } from '../support/programs.js';
import { type WebServer, webServer } from '../support/web-server.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lading-named-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function build(
  text: string,
  buildContexts: Readonly<Record<string, string>>,
  options: Partial<BuildImageOptions> = {},
): Promise<Built> {
  const context = writeFiles(join(folder, 'context'), { Dockerfile: text });
  return built(join(folder, 'store'), context, { pull: 'missing', env: process.env, buildContexts, ...options });
}

async function codeOf(work: Promise<unknown>): Promise<ErrorCode | undefined> {
  const error = await work.then(
    () => undefined,
    thrown => thrown as unknown,
  );
  if (error !== undefined && !isLadingError(error)) throw error;
  return error?.code;
}

describe('named contexts of one platform', () => {
  it('go before those of all, for FROM, --from and stages', async () => {
    for (const name of ['any', 'arm']) writeFiles(join(folder, name), { [name]: name });
    const text =
      'FROM scratch AS stage\nCOPY --from=src / /a/\nFROM stage AS other\nFROM other\nCOPY --from=src / /b/\n';
    const contexts = {
      src: join(folder, 'any'),
      'src::linux/arm64': join(folder, 'arm'),
      'other::linux/aarch64': join(folder, 'arm'),
    };
    const amd64 = await build(text, contexts, { platforms: ['linux/amd64'] });
    const arm64 = await build(text, contexts, { platforms: ['linux/arm64/v8'] });
    const names = (built: Built): string[] => built.files.map(line => line.split(' ')[0]!);
    expect(names(amd64)).toEqual(['a', 'a/any', 'b', 'b/any']);
    expect(names(arm64)).toEqual(['arm', 'b', 'b/arm']);
  });

  it('name a platform', async () => {
    expect(await codeOf(build('FROM scratch\n', { 'src::a/b/c/d': folder }))).toBe('INVALID_VALUE');
  });
});

describe('named contexts that are none', () => {
  it.each([
    ['target:other', 'UNSUPPORTED'],
    ['input:other', 'UNSUPPORTED'],
    ['docker-daemon://app', 'UNSUPPORTED'],
    ['file:///etc', 'UNSUPPORTED'],
    ['nowhere', 'IO'],
    ['a.tar', 'IO'],
    ['https://example.org/x.git?depth=1', 'INVALID_VALUE'],
  ] as const)('%s', async (value, code) => {
    writeFiles(folder, { 'context/a.tar': 'x' });
    expect(await codeOf(build('FROM scratch\n', { src: value }))).toBe(code);
  });

  it('may be nothing at all', async () => {
    const { files, config } = await build('FROM base\nCOPY --from=base / /d/\n', { base: 'docker-image://scratch' });
    expect(files).toEqual(['d directory 755 0:0']);
    expect(config.config?.WorkingDir).toBe('/');
  });
});

describe('named contexts on the web', () => {
  let server: WebServer;
  const asked: string[] = [];
  const contents = new Map<string, Buffer>();
  beforeEach(async () => {
    asked.length = 0;
    writeFiles(join(folder, 'tree'), { 'x/y': 'y', '.dockerignore': '*\n' });
    const tar = spawnSync('tar', [
      '-c',
      '--owner=5',
      '--group=6',
      '--mode=644',
      '-C',
      join(folder, 'tree'),
      '.dockerignore',
      'x/y',
    ]);
    contents.set('/a.tgz', gzipSync(tar.stdout));
    contents.set('/text', Buffer.from('text'));
    contents.set('/compressed', gzipSync('text'));
    server = await webServer((request, response) => {
      asked.push(request.url!);
      const content = contents.get(request.url!);
      response.writeHead(content === undefined ? 404 : 200).end(content);
    });
  });
  afterEach(() => server.close());

  it('are the files of an archive', async () => {
    const contexts = { src: `${server.url}/a.tgz` };
    const { files } = await build('FROM scratch\nCOPY --from=src / /d/\n', contexts);
    const archive = ['.dockerignore file 644 5:6 2', 'x directory 755 0:0', 'x/y file 644 5:6 1'];
    expect(files).toEqual(['d directory 755 0:0', ...archive.map(line => `d/${line}`)]);
    const based = await build('FROM src\nLABEL a=b\n', contexts);
    expect(based.files).toEqual(archive);
    expect(based.config.config).toMatchObject({ WorkingDir: '/', Labels: { a: 'b' } });
  });

  it.each([
    ['/text', 4],
    ['/compressed', gzipSync('text').length],
  ])('are the file itself, called context, when it is no archive: %s', async (path, size) => {
    const { files } = await build('FROM scratch\nCOPY --from=src context /\n', { src: `${server.url}${path}` });
    expect(files).toEqual([`context file 600 0:0 ${size}`]);
  });

  it('are fetched when they are used, and once', async () => {
    const contexts = { src: `${server.url}/a.tgz`, other: `${server.url}/text` };
    await build('FROM scratch\nCOPY --from=src x /1/\nCOPY --from=src x /2/\n', contexts, {
      platforms: ['linux/amd64', 'linux/arm64'],
    });
    expect(asked).toEqual(['/a.tgz']);
  });

  it('fail with the line that uses them', async () => {
    const work = build('FROM scratch\nCOPY --from=src x /\n', { src: `${server.url}/none` });
    const error = await work.catch(thrown => thrown as unknown);
    expect(error).toMatchObject({ code: 'REMOTE_FILE', place: { range: { start: { line: 2 } } } });
  });
});

describeWith(['git'], 'named contexts in Git repositories', () => {
  let server: GitServer;
  beforeEach(async () => {
    server = await gitServer(join(folder, 'served'));
    new GitRepository(join(folder, 'served/name')).commit({ 'd/a': 'a', '.dockerignore': '*\n' });
  });
  afterEach(() => server.close());

  it('are the files of a commit', async () => {
    const contexts = { src: `${server.url}/name/.git`, part: `${server.url}/name/.git#main:d` };
    const all = ['.dockerignore file 644 0:0 2', 'd directory 755 0:0', 'd/a file 644 0:0 1'];
    expect((await build('FROM src\n', contexts)).files).toEqual(all);
    expect((await build('FROM scratch AS src\nRUN x\nFROM src\n', contexts)).files).toEqual(all);
    expect((await build('FROM scratch\nCOPY --from=part / /\n', contexts)).files).toEqual(['a file 644 0:0 1']);
  });

  it('fail with the line that uses them', async () => {
    const contexts = { src: `${server.url}/name/.git#nothing` };
    for (const text of ['FROM scratch\nCOPY --from=src x /\n', 'ARG X\nFROM src\n']) {
      const error = await build(text, contexts).catch(thrown => thrown as unknown);
      expect(error).toMatchObject({ code: 'GIT_REPOSITORY', place: { range: { start: { line: 2 } } } });
    }
    expect((await build('FROM scratch\n', contexts)).files).toEqual([]);
  });
});
