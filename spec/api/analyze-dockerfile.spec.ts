import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type AnalyzeDockerfileOptions,
  checkDockerfile,
  listTargets,
  outlineDockerfile,
} from '../../src/api/analyze-dockerfile.js';
import { openStore, type Store } from '../../src/store/store.js';
import { inOnePiece } from '../../src/stream/bytes.js';
import { host, writeFiles } from '../support/building.js';
import { GitRepository, gitServer } from '../support/git-server.js';
import { describeWith } from '../support/programs.js';
import { webServer } from '../support/web-server.js';

const dockerfile = 'FROM scratch AS one\nMAINTAINER me\nFROM scratch AS two\nARG A=b\n';
let folder: string;
let store: Store;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lading-analyze-'));
  store = await openStore(join(folder, 'store'));
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Asks all three questions, and looks whether anything is left of the asking. */
async function asked(source: () => Partial<AnalyzeDockerfileOptions>): Promise<unknown> {
  const options = () => ({ store, host, env: process.env, ...source() });
  const { warnings, error } = await checkDockerfile(options());
  const { args } = await outlineDockerfile(options());
  const targets = await listTargets(options());
  const temporary = join(folder, 'store/tmp');
  const left = existsSync(temporary) ? readdirSync(temporary).flatMap(name => readdirSync(join(temporary, name))) : [];
  expect(left).toEqual([]);
  return {
    rules: warnings.map(({ rule }) => rule),
    error,
    args: args.map(({ name }) => name),
    targets: targets.map(({ name }) => name),
  };
}

const answers = { rules: ['MaintainerDeprecated'], error: undefined, args: ['A'], targets: ['one', 'two'] };

function tarOf(files: Readonly<Record<string, string>>): Buffer {
  const from = writeFiles(mkdtempSync(join(folder, 'tar-')), files);
  return spawnSync('tar', ['-c', '-C', from, '.']).stdout;
}

describe('looking at a Dockerfile', () => {
  it('in a folder or in text leaves no store behind', async () => {
    const context = writeFiles(join(folder, 'context'), { Dockerfile: dockerfile });
    expect(await asked(() => ({ context }))).toEqual(answers);
    expect(await asked(() => ({ dockerfileText: dockerfile }))).toEqual(answers);
    expect(existsSync(join(folder, 'store'))).toBe(false);
  });

  it('in an archive, or alone, on standard input', async () => {
    const tar = gzipSync(tarOf({ Dockerfile: 'FROM x\n', 'd/other': dockerfile }));
    expect(await asked(() => ({ contextContent: inOnePiece(tar), dockerfile: 'd/other' }))).toEqual(answers);
    expect(await asked(() => ({ contextContent: inOnePiece(Buffer.from(dockerfile)) }))).toEqual(answers);
    const none = inOnePiece(tarOf({ a: 'a' }));
    await expect(listTargets({ store, contextContent: none })).rejects.toMatchObject({ code: 'IO' });
  });

  it('on the web', async () => {
    const contents = new Map([
      ['/a.tar', tarOf({ Dockerfile: dockerfile })],
      ['/text', Buffer.from(dockerfile)],
    ]);
    const server = await webServer((request, response) => {
      const content = contents.get(request.url!);
      response.writeHead(content === undefined ? 404 : 200).end(content);
    });
    try {
      for (const name of ['a.tar', 'text']) {
        expect(await asked(() => ({ context: `${server.url}/${name}` }))).toEqual(answers);
      }
      const work = checkDockerfile({ store, host, context: `${server.url}/none` });
      await expect(work).rejects.toMatchObject({ code: 'REMOTE_FILE' });
      const text = 'ARG SOURCE_DATE_EPOCH=src\nFROM scratch AS src\nADD URL/text /\nFROM scratch\n';
      const found = { store, host, dockerfileText: text.replace('URL', server.url) };
      expect((await checkDockerfile(found)).error).toBeUndefined();
      const missing = { ...found, dockerfileText: found.dockerfileText.replace('/text', '/none') };
      expect((await checkDockerfile(missing)).error).toMatchObject({ code: 'REMOTE_FILE' });
    } finally {
      await server.close();
    }
  });
});

describeWith(['git'], 'looking at a Dockerfile in a Git repository', () => {
  it('checks the repository out and leaves nothing of it', async () => {
    const server = await gitServer(join(folder, 'served'));
    try {
      new GitRepository(join(folder, 'served/name')).commit({ 'd/Dockerfile': dockerfile });
      const context = `${server.url}/name/.git#main:d`;
      expect(await asked(() => ({ context }))).toEqual(answers);
    } finally {
      await server.close();
    }
  });
});
