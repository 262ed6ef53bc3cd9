import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BuildImageOptions } from '../../src/api/build-image.js';
import { inOnePiece } from '../../src/stream/bytes.js';
import { built, writeFiles } from '../support/building.js';
import { GitRepository, gitServer } from '../support/git-server.js';
import { describeWith } from '../support/programs.js';
import { type WebServer, webServer } from '../support/web-server.js';

let folder: string;
let server: WebServer;
const contents = new Map<string, { readonly bytes: Buffer; readonly modified?: string }>();

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lading-epoch-'));
  contents.clear();
  server = await webServer((request, response) => {
    const content = contents.get(request.url!);
    if (content === undefined) return void response.writeHead(404).end();
    response.writeHead(200, content.modified === undefined ? {} : { 'last-modified': content.modified });
    response.end(content.bytes);
  });
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const asked = 'ARG SOURCE_DATE_EPOCH=context\nFROM scratch\nARG SOURCE_DATE_EPOCH\nLABEL epoch=$SOURCE_DATE_EPOCH\n';

/** An archive whose newest file is of 2001-09-09T01:46:40Z; its folders are younger. */
function archive(dockerfile = asked): Buffer {
  const files = { Dockerfile: dockerfile, old: 'old', 'd/new': 'new' };
  const from = writeFiles(mkdtempSync(join(folder, 'tar-')), files);
  for (const name of Object.keys(files)) {
    const time = name === 'd/new' ? 1_000_000_000 : 900_000_000;
    utimesSync(join(from, name), time, time);
  }
  return spawnSync('tar', ['-c', '-C', from, '.']).stdout;
}

/** What SOURCE_DATE_EPOCH came to: the creation time of the image, and what a stage sees of it. */
async function epochOf(options: Partial<BuildImageOptions>): Promise<unknown> {
  const { config } = await built(join(folder, 'store'), '', {
    context: undefined,
    pull: 'missing',
    env: process.env,
    ...options,
  });
  return { created: config.created, label: config.config?.Labels?.['epoch'] };
}

const unset = { created: '2000-01-01T00:00:00Z', label: '' };
const newest = { created: '2001-09-09T01:46:40Z', label: '1000000000' };
const modified = 'Sun, 11 Jan 1998 00:00:00 GMT';
const told = { created: '1998-01-11T00:00:00Z', label: '884476800' };

describe('SOURCE_DATE_EPOCH from the context', () => {
  it('is unset for a folder, for a Dockerfile alone, and without a context', async () => {
    const context = writeFiles(join(folder, 'context'), { Dockerfile: asked });
    expect(await epochOf({ context })).toEqual(unset);
    expect(await epochOf({ contextContent: inOnePiece(Buffer.from(asked)) })).toEqual(unset);
    expect(await epochOf({ dockerfileText: asked })).toEqual(unset);
    const text = asked.replace(/^.*\n/, '');
    const buildArgs = { SOURCE_DATE_EPOCH: 'context' };
    expect(await epochOf({ dockerfileText: text, buildArgs })).toEqual(unset);
  });

  it('is what the server says of the file, else the time of the newest file in it', async () => {
    const tar = archive();
    contents.set('/a.tgz', { bytes: gzipSync(tar) });
    contents.set('/b.tgz', { bytes: gzipSync(tar), modified });
    contents.set('/text', { bytes: Buffer.from(asked), modified });
    expect(await epochOf({ context: `${server.url}/a.tgz` })).toEqual(newest);
    expect(await epochOf({ context: `${server.url}/b.tgz` })).toEqual(told);
    expect(await epochOf({ context: `${server.url}/text` })).toEqual(told);
    expect(await epochOf({ contextContent: inOnePiece(tar) })).toEqual(newest);
    const buildArgs = { SOURCE_DATE_EPOCH: '7' };
    const given = { created: '1970-01-01T00:00:07Z', label: '7' };
    expect(await epochOf({ context: `${server.url}/a.tgz`, buildArgs })).toEqual(given);
  });
});

describe('SOURCE_DATE_EPOCH from a named context', () => {
  const text = asked.replace('context', 'src');

  it('is that of what is behind its address, and unset for folders', async () => {
    contents.set('/a.tar', { bytes: archive() });
    contents.set('/text', { bytes: Buffer.from('x'), modified });
    const of = (src: string) => epochOf({ dockerfileText: text, buildContexts: { src } });
    expect(await of(`${server.url}/a.tar`)).toEqual(newest);
    expect(await of(`${server.url}/text`)).toEqual(told);
    expect(await of(folder)).toEqual(unset);
    expect(await of('docker-image://scratch')).toEqual(unset);
  });
});

describe('SOURCE_DATE_EPOCH from a stage', () => {
  const text = (add: string): string => asked.replace('=context\n', `=src\nFROM scratch AS src\n${add}\n`);

  it('is that of what it fetches, although it is not built', async () => {
    contents.set('/a.tar', { bytes: archive() });
    contents.set('/text', { bytes: Buffer.from('x'), modified });
    contents.set('/other', { bytes: Buffer.from('x') });
    const of = (add: string) => epochOf({ dockerfileText: text(add) });
    expect(await of(`ADD ${server.url}/a.tar /`)).toEqual(newest);
    expect(await of(`ARG N=text\nADD ${server.url}/$N /`)).toEqual(told);
    expect(await of(`ADD ${server.url}/other /`)).toEqual(unset);
    const digest = createHash('sha256').update('x').digest('hex');
    expect(await of(`ADD --checksum=sha256:${digest} ${server.url}/text /`)).toEqual(told);
  });

  it.each([
    ['ADD URL/missing /', 'REMOTE_FILE'],
    [`ADD --checksum=sha256:${'0'.repeat(64)} URL/text /`, 'DIGEST_MISMATCH'],
    ['ADD here /', 'DOCKERFILE_SYNTAX'],
  ])('fails with the line for %s', async (add, code) => {
    contents.set('/text', { bytes: Buffer.from('x'), modified });
    const error = await epochOf({ dockerfileText: text(add.replace('URL', server.url)) }).catch(thrown => thrown);
    expect(error).toMatchObject({ code, place: { range: { start: { line: 3 } }, excerpt: expect.any(String) } });
  });
});

describeWith(['git'], 'SOURCE_DATE_EPOCH from Git', () => {
  it('is the time of the commit', async () => {
    const served = await gitServer(join(folder, 'served'));
    try {
      const repository = new GitRepository(join(folder, 'served/name'));
      repository.commit({ Dockerfile: asked, a: 'a' }, 884_476_800);
      repository.git('tag', 'v1');
      repository.commit({ b: 'b' }, 1_000_000_000);
      const remote = `${served.url}/name/.git`;
      expect(await epochOf({ context: remote })).toEqual(newest);
      expect(await epochOf({ context: `${remote}#v1` })).toEqual(told);
      const named = asked.replace('context', 'src');
      expect(await epochOf({ dockerfileText: named, buildContexts: { src: `${remote}#v1` } })).toEqual(told);
      const stage = asked.replace('=context\n', `=src\nFROM scratch AS src\nADD --keep-git-dir ${remote}#v1 /\n`);
      expect(await epochOf({ dockerfileText: stage })).toEqual(told);
    } finally {
      await served.close();
    }
  });
});
