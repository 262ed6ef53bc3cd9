import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BuildImageEvent, BuildImageOptions } from '../../src/api/build-image.js';
import { layersOfImage } from '../../src/build/stage-files.js';
import { isLadingError } from '../../src/errors/errors.js';
import { openImage } from '../../src/image/image.js';
import { treeOfLayers } from '../../src/layer/tree-of-layers.js';
import { openStore } from '../../src/store/store.js';
import { lookup } from '../../src/tree/lookup.js';
import { rawEntry, rawPax, rawTar } from '../layer/raw-tar.js';
import { type Built, built, writeFiles } from '../support/building.js';
import { cli } from '../support/run-cli.js';
import { webServer } from '../support/web-server.js';
import { type Difference, type DifferenceId, differences } from './differences.js';
import { isThere } from './is-there.js';

let folder: string;
let context: string;
let root: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lading-differences-'));
  context = writeFiles(join(folder, 'context'), { a: 'a' });
  root = join(folder, 'store');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const build = (lines: string, options: Partial<BuildImageOptions> = {}): Promise<Built> =>
  built(root, context, { dockerfileText: `FROM scratch\n${lines}\n`, ...options });

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    thrown => thrown as unknown,
  );
  if (!isLadingError(error)) throw error ?? new Error('nothing failed');
  return error.code;
}

/** What the last layer and those below say of a path. */
async function nodeOf({ descriptor }: Built, path: string) {
  const store = await openStore(root);
  const image = await openImage(store, descriptor);
  const node = lookup(await treeOfLayers(layersOfImage(image), store), path)?.node;
  await store.close();
  return node;
}

const epoch = 946_684_800;
const historyOf = ({ config }: Built): string => config.history!.map(entry => entry.created_by).join('\n');

const shown: Readonly<Partial<Record<DifferenceId, () => Promise<void>>>> = {
  async layerTimes() {
    utimesSync(join(context, 'a'), 1, 1_600_000_000);
    const lines = 'COPY a /made/a';
    expect(await nodeOf(await build(lines), 'made/a')).toMatchObject({ mtime: epoch });
    expect(await nodeOf(await build(lines), 'made')).toMatchObject({ mtime: epoch });
    const kept = await build(lines, { timestamps: 'keep' });
    expect(await nodeOf(kept, 'made/a')).toMatchObject({ mtime: 1_600_000_000 });
    expect(await nodeOf(kept, 'made')).toMatchObject({ mtime: epoch });
  },

  async imageTimes() {
    const time = '2000-01-01T00:00:00Z';
    const { config } = await build('LABEL a=b', { tags: ['app'] });
    expect([config.created, config.history?.[0]?.created]).toEqual([time, time]);
    const listed = await cli(['images', '--root', root, '--json'], { cwd: folder });
    expect(JSON.parse(listed)).toHaveLength(1);
    expect(listed).not.toContain('2000-01-01');
  },

  async parentsSources() {
    writeFiles(context, { dangling: '-> nowhere' });
    const { files } = await build('COPY --parents . /all/\nCOPY --parents dangling /one/');
    expect(files.filter(line => !line.includes('directory')).map(line => line.split(' ')[0])).toEqual([
      'all/a',
      'all/dangling',
      'one/dangling',
    ]);
    expect(await codeOf(build('COPY --parents nowhere /one/'))).toBe('SOURCE_NOT_FOUND');
    const stage = 'COPY . /\nFROM scratch\nCOPY --from=0 --parents';
    expect((await build(`${stage} dangling /`)).files).toEqual([expect.stringMatching(/^dangling symlink/)]);
    expect(await codeOf(build(`${stage} nowhere /`))).toBe('SOURCE_NOT_FOUND');
  },

  async linksBesideExclude() {
    writeFiles(context, { dangling: '-> nowhere' });
    const { files } = await build('COPY --exclude=a . /');
    expect(files).toEqual([expect.stringMatching(/^dangling symlink/)]);
  },

  async storeFirst() {
    // Nobody listens there.
    const name = '127.0.0.1:1/base:1';
    await build('COPY a /', { tags: [name] });
    const child = { dockerfileText: `FROM ${name}\n` };
    expect((await build('', { ...child, pull: 'missing' })).files).toHaveLength(1);
    expect(await codeOf(build('', { ...child, pull: 'always' }))).toBe('REGISTRY_UNREACHABLE');
  },

  async cachedTimes() {
    const cached = async (time: number, options: Partial<BuildImageOptions>) => {
      utimesSync(join(context, 'a'), 1, time);
      const events: BuildImageEvent[] = [];
      const { descriptor } = await build('COPY a /', { ...options, onEvent: event => events.push(event) });
      return { descriptor, hits: events.flatMap(event => (event.kind === 'step-done' ? event.cached : [])) };
    };
    const one = await cached(1_600_000_000, {});
    expect(await cached(1_700_000_000, {})).toEqual({ ...one, hits: [true] });
    const kept = await cached(1_600_000_000, { timestamps: 'keep' });
    const later = await cached(1_700_000_000, { timestamps: 'keep' });
    expect(later.hits).toEqual([false]);
    expect(later.descriptor).not.toEqual(kept.descriptor);
  },

  async contextAttributes() {
    const tar = rawTar(rawPax([['SCHILY.xattr.user.note', 'kept']]), rawEntry({ name: 'noted' }, 'x'));
    const options = ['-C', context, '--xattrs', '--xattrs-include=user.*'];
    spawnSync('tar', ['-x', ...options], { input: tar });
    // Not every file system keeps them.
    const before = spawnSync('tar', ['-c', ...options, 'noted']).stdout;
    if (!before.includes('user.note')) process.stderr.write('no extended attributes on this file system\n');
    const node = await nodeOf(await build('COPY noted /'), 'noted');
    expect(node).toMatchObject({ type: 'file', xattrs: undefined });
  },

  async removalNames() {
    writeFileSync(join(context, '.wh.a'), '');
    expect(await codeOf(build('COPY .wh.a /'))).toBe('PATH_INVALID');
  },

  async addressPasswords() {
    const server = await webServer((_, response) => response.end('x'));
    try {
      const address = server.url.replace('://', '://me:secret@');
      const image = await build(`ADD ${address}/x /x`, { pull: 'missing' });
      expect(historyOf(image)).toContain('REDACTED@');
      expect(historyOf(image)).not.toContain('secret');
    } finally {
      await server.close();
    }
  },

  async baseDigests() {
    const { descriptor, images } = await build('COPY a /', {
      platforms: ['linux/amd64', 'linux/arm64'],
      tags: ['base'],
    });
    expect(descriptor).not.toEqual(images[1]!.descriptor);
    const child = await build('', { dockerfileText: 'FROM base\n', platforms: ['linux/arm64'] });
    const digests = { sha256: images[1]!.descriptor.digest.replace('sha256:', '') };
    expect(child.images[0]!.provenance).toMatchObject({ materials: [{ digest: digests }] });
  },

  async imageIds() {
    writeFiles(context, { Dockerfile: 'FROM scratch\nCOPY a /\n' });
    const { descriptor } = await build('COPY a /');
    const id = await cli(['build', '--root', root, '-q', '--iidfile', 'id', context], { cwd: folder });
    expect([id, readFileSync(join(folder, 'id'), 'utf8')]).toEqual([`${descriptor.digest}\n`, descriptor.digest]);
  },

  async annotatedPlatforms() {
    writeFiles(context, { Dockerfile: 'FROM scratch\nCOPY a /\n' });
    const args = ['--platform', 'linux/amd64', '--annotation', 'manifest[linux/arm64]:a=b', context];
    await expect(cli(['build', '--root', root, ...args], { cwd: folder })).rejects.toThrow('[USAGE]');
  },

  async storeInContext() {
    const warnings: unknown[] = [];
    const { files } = await built(join(context, 'store'), context, {
      dockerfileText: 'FROM scratch\nCOPY . /\n',
      onEvent: event => event.kind === 'warning' && warnings.push(event),
    });
    expect(files).toEqual(['a file 644 0:0 1']);
    expect(warnings).toHaveLength(1);
  },

  async longPaths() {
    const path = `/${'x'.repeat(200)}`.repeat(20);
    expect((await build(`COPY a ${path}/a`)).files).toHaveLength(21);
    expect(await codeOf(build(`COPY a ${path}${path}/a`))).toBe('PATH_INVALID');
  },

  async brokenTriggers() {
    expect(await codeOf(build('ONBUILD COPY --nope a /'))).toBe('DOCKERFILE_SYNTAX');
  },

  async healthcheckHistory() {
    expect(historyOf(await build('HEALTHCHECK --interval=90s CMD true'))).toBe(
      'HEALTHCHECK {Test:[CMD-SHELL true] Interval:1m30s Timeout:0s StartPeriod:0s StartInterval:0s Retries:0}',
    );
  },

  async whiteoutsInArchives() {
    writeFileSync(join(context, 'a.tar'), rawTar(rawEntry({ name: '.wh.x' })));
    expect(await codeOf(build('ADD a.tar /d/'))).toBe('PATH_INVALID');
  },

  async kindsInArchives() {
    writeFileSync(join(context, 'a.tar'), rawTar(rawEntry({ name: 'c', type: '7' }, 'x')));
    expect((await build('ADD a.tar /d/')).files).toEqual(['d directory 755 0:0', 'd/c file 644 0:0 1']);
  },

  async wordsOfExpose() {
    const { config } = await build('EXPOSE 8${X:-0}');
    expect(config.config?.ExposedPorts).toEqual({ '80/tcp': {} });
  },

  async bracesInPatterns() {
    writeFiles(context, { '.dockerignore': '.dockerignore\n*b{2}', abb: '', 'ab{2}': '' });
    expect((await build('COPY . /')).files).toEqual(['a file 644 0:0 1', 'abb file 644 0:0 0']);
  },

  async wildcardsWithoutMatch() {
    writeFiles(context, { 'd/f': '' });
    expect((await build('COPY d/x* /y/')).files).toEqual([]);
  },

  async largeOwners() {
    expect((await build('COPY --chown=3000000000 a /a')).files).toEqual(['a file 644 3000000000:3000000000 1']);
    expect(await codeOf(build('COPY --chown=4294967296 a /a'))).toBe('INVALID_VALUE');
  },

  async firstMistake() {
    const error = await build('COPY a\nENV b').catch((thrown: unknown) => thrown);
    expect(isLadingError(error, 'DOCKERFILE_SYNTAX') && error.details.range.start.line).toBe(2);
  },
};

describe('lading differs from BuildKit on purpose in', () => {
  it.each(Object.entries(shown))('%s', async (_, test) => await test());

  const elsewhere = Object.entries<Difference>(differences).filter(([, { cases, tests }]) => cases ?? tests);

  it('nothing that no test shows', () => {
    expect([...Object.keys(shown), ...elsewhere.map(([id]) => id)].sort()).toEqual(Object.keys(differences).sort());
  });

  it.each(elsewhere.flatMap(([, { tests = [] }]) => tests))('what %s shows, which is there', test => {
    expect(isThere(test)).toBe(true);
  });
});
