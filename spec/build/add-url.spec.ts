import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BuildImageEvent, BuildImageOptions } from '../../src/api/build-image.js';
import { remoteName } from '../../src/build/remote-source.js';
import { isLadingError } from '../../src/errors/errors.js';
import { openImage } from '../../src/image/image.js';
import { openStore } from '../../src/store/store.js';
import { type Built, built, writeFiles } from '../support/building.js';
import { type WebServer, webServer } from '../support/web-server.js';

let folder: string;
let server: WebServer;
const contents = new Map<string, Buffer>();

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lading-add-url-'));
  contents.clear();
  contents.set('/dir/file.txt', Buffer.from('content'));
  server = await webServer((request, response) => {
    const content = contents.get(request.url!.replace(/\?.*/, ''));
    if (content === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'last-modified': 'Sat, 01 Jan 1994 00:00:00 GMT' }).end(content);
  });
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

function build(instructions: string, options: Partial<BuildImageOptions> = {}): Promise<Built> {
  const context = join(folder, 'context');
  writeFiles(context, { Dockerfile: `FROM scratch\n${instructions.replaceAll('URL', server.url)}\n`, local: 'l' });
  return built(join(folder, 'store'), context, { pull: 'missing', ...options });
}

async function failure(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => undefined,
    error => error,
  );
}

describe('ADD from the web', () => {
  it.each([
    ['ADD URL/dir/file.txt /a', ['a file 600 0:0 7']],
    ['ADD URL/dir/file.txt /d/', ['d directory 755 0:0', 'd/file.txt file 600 0:0 7']],
    ['ADD URL/dir/file.txt?x=1#y /d/', ['d directory 755 0:0', 'd/file.txt file 600 0:0 7']],
    ['WORKDIR /w\nADD URL/dir/file.txt .', ['w directory 755 0:0', 'w/file.txt file 600 0:0 7']],
    ['WORKDIR /w\nADD URL/dir/file.txt /w', ['w directory 755 0:0', 'w/file.txt file 600 0:0 7']],
    ['ADD --chown=3:4 --chmod=0640 URL/dir/file.txt /a', ['a file 640 3:4 7']],
    ['ADD --link URL/dir/file.txt /a', ['a file 600 0:0 7']],
    ['ADD local URL/dir/file.txt /d/', ['d directory 755 0:0', 'd/file.txt file 600 0:0 7', 'd/local file 644 0:0 1']],
    ['ARG NAME=file.txt\nADD URL/dir/${NAME} /a', ['a file 600 0:0 7']],
  ])('puts the file where %s says', async (instructions, files) => {
    expect((await build(instructions)).files).toEqual(files);
  });

  it('gives the file the time that the server says', async () => {
    const store = await openStore(join(folder, 'store'));
    const { descriptor, config } = await build('ADD URL/dir/file.txt /a', { store });
    const image = await openImage(store, descriptor);
    const blob = image.layers[0]!.descriptor;
    const { entries } = await store.layerIndex({ diffId: config.rootfs.diff_ids[0]!, blob });
    await store.close();
    expect(entries).toMatchObject([{ path: 'a', mtime: 757_382_400 }]);
  });

  it('unpacks an archive only when it is asked to', async () => {
    writeFiles(join(folder, 'tree'), { 'x/y': 'y' });
    const tar = spawnSync('tar', ['-cz', '--owner=5', '--group=6', '--mode=644', '-C', join(folder, 'tree'), 'x/y']);
    contents.set('/a.tgz', tar.stdout);
    const { files } = await build('ADD URL/a.tgz /kept/\nADD --unpack URL/a.tgz /u\nADD --unpack URL/dir/file.txt /f');
    expect(files).toEqual([
      'f file 600 0:0 7',
      'kept directory 755 0:0',
      `kept/a.tgz file 600 0:0 ${tar.stdout.length}`,
      'u directory 755 0:0',
      'u/x directory 755 0:0',
      'u/x/y file 644 5:6 1',
    ]);
  });

  it.each(['sha256', 'sha512'])('holds the content to its checksum (%s)', async algorithm => {
    const good = createHash(algorithm).update('content').digest('hex');
    expect((await build(`ADD --checksum=${algorithm}:${good} URL/dir/file.txt /a`)).files).toHaveLength(1);
    const bad = good.replace(/^./, digit => (digit === '0' ? '1' : '0'));
    const error = await failure(build(`ADD --checksum=${algorithm}:${bad} URL/dir/file.txt /a`));
    expect(isLadingError(error, 'DIGEST_MISMATCH')).toBe(true);
    expect((error as { place?: unknown }).place).toBeDefined();
  });

  it('is the same layer again, from the cache', async () => {
    const events: BuildImageEvent[] = [];
    const one = await build('ADD URL/dir/file.txt /a');
    const two = await build('ADD URL/dir/file.txt /a', { onEvent: event => events.push(event) });
    expect(two.descriptor).toEqual(one.descriptor);
    expect(events).toContainEqual(expect.objectContaining({ kind: 'step-done', cached: true }));
    expect(events).toContainEqual(expect.objectContaining({ kind: 'step-fetch', bytes: 7 }));
  });

  it('fails with the line for a status that is none of success', async () => {
    const error = await failure(build('ADD URL/missing /a'));
    expect(isLadingError(error, 'REMOTE_FILE')).toBe(true);
    expect(error).toMatchObject({ details: { status: 404 }, place: { range: { start: { line: 2 } } } });
  });

  it('asks nobody offline', async () => {
    const error = await failure(build('ADD URL/dir/file.txt /a', { pull: 'never' }));
    expect(isLadingError(error, 'REMOTE_FILE')).toBe(true);
  });

  it('lets no password into history or events', async () => {
    const events: BuildImageEvent[] = [];
    const address = `${server.url.replace('://', '://me:hunter2@')}/dir/file.txt`;
    const { config } = await build(`ADD ${address} /a`, { onEvent: event => events.push(event) });
    expect(JSON.stringify([config, events])).not.toContain('hunter2');
  });

  it('leaves nothing behind when it is ended', async () => {
    await server.close();
    server = await webServer((_, response) => void response.writeHead(200).write('1'));
    const controller = new AbortController();
    const onEvent = (event: BuildImageEvent): void => {
      if (event.kind === 'step-fetch') controller.abort(new Error('enough'));
    };
    const error = await failure(build('ADD URL/slow /a', { signal: controller.signal, onEvent }));
    expect(String(error)).toContain('enough');
    const left = readdirSync(join(folder, 'store'), { recursive: true, encoding: 'utf8' });
    expect(left.filter(name => name.includes('download-'))).toEqual([]);
    expect(existsSync(join(folder, 'store'))).toBe(true);
  });
});

describe('remoteName', () => {
  it.each([
    ['http://h/a/b.txt', 'b.txt'],
    ['http://h/a/b.txt?q=/c#d', 'b.txt'],
    ['http://h/a/', 'a'],
    ['http://h', '__unnamed__'],
    ['http://h/', '__unnamed__'],
    ['http://h/a%20b', 'a b'],
    ['http://h/a%2Fb', 'b'],
    ['http://h/%2e%2e%2f..%2f..', '__unnamed__'],
    ['http://h/a%00b', '__unnamed__'],
    ['http://h/%ff', '\udcff'],
    ['http://h/100%', '100%'],
  ])('%s is %s', (url, name) => {
    expect(remoteName(url)).toBe(name);
  });
});
