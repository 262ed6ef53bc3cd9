import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BuildImageEvent, BuildImageOptions } from '../../src/api/build-image.js';
import { openStore } from '../../src/store/store.js';
import { type Built, built, writeFiles } from '../support/building.js';
import { codeOf } from '../support/content-suite.js';
import { tempDir } from '../support/temp-dir.js';
import { type WebServer, webServer } from '../support/web-server.js';

let folder: string;
let server: WebServer;
let content: string;
let tagged: boolean;
const seen: IncomingMessage[] = [];
const events: BuildImageEvent[] = [];

beforeEach(async () => {
  folder = await tempDir();
  content = 'content';
  tagged = true;
  server = await webServer((request, response) => {
    seen.push(request);
    const etag = `"${content.slice(0, 20)}"`;
    const headers = tagged ? { etag, 'last-modified': 'Sat, 01 Jan 1994 00:00:00 GMT' } : {};
    if (tagged && request.headers['if-none-match'] === etag) response.writeHead(304, headers).end();
    else response.writeHead(200, headers).end(content);
  });
});
afterEach(async () => {
  await server.close();
});

const store = (): string => join(folder, 'store');
const sha256 = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

async function build(instructions: string, options: Partial<BuildImageOptions> = {}): Promise<Built> {
  seen.length = 0;
  events.length = 0;
  const context = join(folder, 'context');
  writeFiles(context, { Dockerfile: `FROM scratch\n${instructions.replaceAll('URL', server.url)}\n` });
  return await built(store(), context, { pull: 'missing', onEvent: event => events.push(event), ...options });
}

/** What the server was asked for: the conditions of the requests. */
const asked = (): Array<string | undefined> => seen.map(request => request.headers['if-none-match']);
const fetched = (): number => events.filter(event => event.kind === 'step-fetch').length;

describe('ADD from the web, again', () => {
  it('asks the server, and gets nothing that is there already', async () => {
    const one = await build('ADD URL/file /a');
    expect([asked(), fetched()]).toEqual([[undefined], 1]);
    const two = await build('ADD URL/file /a');
    expect([asked(), fetched()]).toEqual([['"content"'], 0]);
    expect(two.descriptor).toEqual(one.descriptor);
    expect(events).toContainEqual(expect.objectContaining({ kind: 'step-done', cached: true }));
  });

  it('makes the same layer of what is kept as of what is fetched', async () => {
    await build('ADD URL/file /other');
    const kept = await build('ADD URL/file /a', { timestamps: 'keep' });
    expect(asked()).toEqual(['"content"']);
    const fetchedAgain = await build('ADD URL/file /a', { timestamps: 'keep', noCache: true });
    expect(kept.files).toEqual(['a file 600 0:0 7']);
    expect(kept.descriptor).toEqual(fetchedAgain.descriptor);
  });

  it('gets what has changed, and then keeps that', async () => {
    await build('ADD URL/file /a');
    content = 'changed!';
    expect((await build('ADD URL/file /a')).files).toEqual(['a file 600 0:0 8']);
    expect([asked(), fetched()]).toEqual([['"content"'], 1]);
    await build('ADD URL/file /a');
    expect([asked(), fetched()]).toEqual([['"changed!"'], 0]);
  });

  it('gets everything again without the cache', async () => {
    await build('ADD URL/file /a');
    await build('ADD URL/file /a', { noCache: true });
    expect([asked(), fetched()]).toEqual([[undefined], 1]);
    await build(`ADD --checksum=${sha256('content')} URL/file /a`, { noCache: true });
    expect([asked(), fetched()]).toEqual([[undefined], 1]);
  });

  it('gets again, for the stages that are named, what the others take as it is kept', async () => {
    await build('ADD URL/file /a');
    const two = 'ADD URL/file /a\nFROM scratch AS again\nADD URL/file /a\nCOPY --from=0 /a /b';
    await build(two, { noCacheFilter: ['again'] });
    expect(asked().sort()).toEqual(['"content"', undefined]);
  });

  it('asks for one address once in a build, whatever the number of stages and platforms', async () => {
    const two = 'ADD URL/file /a\nFROM scratch\nADD URL/file /a\nCOPY --from=0 /a /b';
    await build(two, { platforms: ['linux/amd64', 'linux/arm64'] });
    expect(asked()).toEqual([undefined]);
  });

  it('asks nobody for what it knows by its digest', async () => {
    const instruction = `ADD --checksum=${sha256('content')} URL/file /a`;
    await build(instruction);
    await build(instruction);
    expect(asked()).toEqual([]);
    content = 'changed!';
    await build(instruction);
    expect(await codeOf(build(`ADD --checksum=${sha256('other')} URL/file /a`))).toBe('DIGEST_MISMATCH');
    expect(asked()).toEqual(['"content"']);
  });

  it('does not take one address for another', async () => {
    await build('ADD URL/file?a /a');
    await build('ADD URL/file?b /a');
    expect(asked()).toEqual([undefined]);
  });

  it('gets a file without a tag each time', async () => {
    tagged = false;
    await build('ADD URL/file /a');
    await build('ADD URL/file /a');
    expect([asked(), fetched()]).toEqual([[undefined], 1]);
  });

  it('takes what is kept offline, tag or not', async () => {
    tagged = false;
    const one = await build('ADD URL/file /a');
    content = 'changed!';
    const two = await build('ADD URL/file /a', { pull: 'never' });
    expect([asked(), two.descriptor]).toEqual([[], one.descriptor]);
    expect((await build('ADD URL/file /a', { pull: 'never', noCache: true })).descriptor).toEqual(one.descriptor);
    expect(await codeOf(build('ADD URL/other /a', { pull: 'never' }))).toBe('REMOTE_FILE');
    const wrong = `ADD --checksum=${sha256('other')} URL/file /a`;
    expect(await codeOf(build(wrong, { pull: 'never' }))).toBe('DIGEST_MISMATCH');
    expect(asked()).toEqual([]);
  });

  it('keeps files of several builds at a time', async () => {
    await Promise.all([build('ADD URL/file /a'), build('ADD URL/file /a')]);
    expect((await build('ADD URL/file /a')).files).toHaveLength(1);
    expect(fetched()).toBe(0);
  });
});

describe('what is kept of ADD from the web', () => {
  const blobPath = (): string => join(store(), 'blobs', 'sha256', sha256(content).slice('sha256:'.length));

  it.each([
    ['as it is', (): void => writeFileSync(blobPath(), 'CONTENT'), 'ADD URL/file /b'],
    ['unpacked', (): void => writeFileSync(blobPath(), 'CONTENT'), 'ADD --unpack URL/file /b'],
  ])('gives no wrong bytes when it is damaged: %s', async (_, spoil, instruction) => {
    await build('ADD URL/file /a');
    spoil();
    expect(await codeOf(build(instruction))).toBe('DIGEST_MISMATCH');
    const opened = await openStore(store());
    expect((await opened.check()).problems.map(({ kind }) => kind)).toEqual(['blob-damaged', 'record-damaged']);
    await opened.check({ repair: true });
    await opened.close();
    expect((await build(instruction)).files).toEqual(['b file 600 0:0 7']);
  });

  it('gives no wrong bytes when it is large, and read in pieces', async () => {
    content = 'content '.repeat(500_000);
    await build('ADD URL/file /a');
    const bytes = readFileSync(blobPath());
    bytes[3_000_000]! ^= 1;
    writeFileSync(blobPath(), bytes);
    expect(await codeOf(build('ADD URL/file /b'))).toBe('DIGEST_MISMATCH');
  });

  it('is fetched again when it is cut or gone', async () => {
    await build('ADD URL/file /a');
    truncateSync(blobPath(), 3);
    expect((await build('ADD URL/file /b')).files).toEqual(['b file 600 0:0 7']);
    expect(asked()).toEqual([undefined]);
    expect(readFileSync(blobPath(), 'utf8')).toBe('content');
  });

  it('is fetched again when its record is damaged, of another kind, or does not hold its blob', async () => {
    await build('ADD URL/file /a');
    const steps = join(store(), 'cache', 'steps');
    const [file] = readdirSync(steps).filter(name => readFileSync(join(steps, name)).includes('web file'));
    const opened = await openStore(store());
    const record = (await opened.getRecord(file!))!;
    for (const lie of [
      { ...record, body: Buffer.from('{"version":1}') },
      { ...record, blobs: [] },
      { ...record, body: Buffer.from(record.body.toString().replace('"size":7', '"size":8')) },
    ]) {
      await opened.putRecord(file!, lie);
      expect((await build('ADD URL/file /b')).files).toEqual(['b file 600 0:0 7']);
      expect(asked()).toEqual([undefined]);
    }
    await opened.close();
    writeFileSync(join(steps, file!), 'damaged');
    await build('ADD URL/file /b');
    expect(asked()).toEqual([undefined]);
  });

  it('belongs to the cache: prune keeps it until the cache is to go', async () => {
    await build('ADD URL/file /a');
    const opened = await openStore(store());
    try {
      expect((await opened.usage()).garbage.count).toBe(0);
      expect((await opened.prune()).blobs).toEqual([]);
      await build('ADD URL/file /a');
      expect(asked()).toEqual(['"content"']);
      expect((await opened.prune({ cache: true })).blobs).toContain(sha256(content));
      await build('ADD URL/file /a');
      expect(asked()).toEqual([undefined]);
      content = 'changed!';
      await build('ADD URL/file /a');
      expect((await opened.prune()).blobs).toEqual([sha256('content')]);
    } finally {
      await opened.close();
    }
  });

  it('says nothing of the address', async () => {
    const secret = 'canary-1f7a';
    const address = `${server.url.replace('://', `://me:${secret}@`)}/${secret}?token=${secret}`;
    await build(`ARG SECRET\nADD ${address.replace(`/${secret}?`, '/${SECRET}?')} /a`, {
      buildArgs: { SECRET: secret },
    });
    await build(`ARG SECRET\nADD ${address.replace(`/${secret}?`, '/${SECRET}?')} /a`, {
      buildArgs: { SECRET: secret },
    });
    expect(asked()).toEqual(['"content"']);
    const records = join(store(), 'cache', 'steps');
    expect(readdirSync(records).length).toBeGreaterThanOrEqual(2);
    for (const name of readdirSync(records)) expect(readFileSync(join(records, name), 'utf8')).not.toContain(secret);
  });
});
