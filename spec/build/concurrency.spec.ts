import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BuildImageEvent, BuildImageOptions } from '../../src/api/build-image.js';
import type { StepInfo } from '../../src/build/event.js';
import { isLadingError } from '../../src/errors/errors.js';
import { openStore } from '../../src/store/store.js';
import { type Built, built, writeFiles } from '../support/building.js';
import { type GatedServer, gatedServer } from '../support/gated-server.js';

let folder: string;
let context: string;
let server: GatedServer;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lading-concurrency-'));
  context = writeFiles(join(folder, 'context'), { a: 'a', b: 'b', 'd/c': 'c' });
  server = await gatedServer();
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Watched {
  readonly work: Promise<Built>;
  readonly events: readonly BuildImageEvent[];
}

let stores = 0;

/** Begins a build, in a store of its own unless one is given, and keeps what it tells. */
function begin(dockerfile: string, options: Partial<BuildImageOptions> & { readonly root?: string } = {}): Watched {
  const events: BuildImageEvent[] = [];
  const { root = join(folder, `store-${++stores}`), ...rest } = options;
  const dockerfileText = dockerfile.replaceAll('URL', server.url);
  const work = built(root, context, {
    pull: 'missing',
    dockerfileText,
    onEvent: event => events.push(event),
    ...rest,
  });
  work.catch(() => {});
  return { work, events };
}

function stepsOf(events: readonly BuildImageEvent[], kind: 'step-started' | 'step-done' | 'step-failed'): StepInfo[] {
  return events.flatMap(event => (event.kind === kind ? [event.step] : []));
}

function titles(events: readonly BuildImageEvent[], kind: 'step-started' | 'step-done'): string[] {
  return stepsOf(events, kind).map(step => step.title.replaceAll(server.url, 'URL'));
}

/** What a build told of its steps, without the order in which it happened. */
function summary(events: readonly BuildImageEvent[]): unknown[] {
  return events.flatMap(event => (event.kind === 'step-done' ? [event] : [])).sort((a, b) => a.step.id - b.step.id);
}

const diamond = `FROM scratch AS base
COPY d /d
FROM base AS left
ADD URL/left /left
FROM base AS right
ADD URL/right /right
ENV X=y
FROM scratch AS apart
WORKDIR /w
ADD URL/apart .
FROM base
COPY --from=left /left /
COPY --from=right /right /
COPY --from=apart /w /w
`;

describe('stages that need nothing of each other', () => {
  it('are carried out at the same time', async () => {
    const { work, events } = begin(diamond);
    // Answered only when all three have been asked: one after the other would wait for ever.
    await server.waitFor('/left', '/right', '/apart');
    expect(titles(events, 'step-started')).toEqual(
      expect.arrayContaining(['ADD URL/left /left', 'ADD URL/right /right', 'ADD URL/apart .']),
    );
    expect(titles(events, 'step-done')).toEqual(expect.arrayContaining(['COPY d /d', 'WORKDIR /w']));
    expect(titles(events, 'step-done').filter(title => title.startsWith('ADD'))).toEqual([]);
    for (const path of ['/left', '/right', '/apart']) server.release(path);
    expect((await work).files).toContain('w/apart file 600 0:0 6');
  });

  it('give the same bytes and tell the same, whichever is faster and however many run', async () => {
    const results: Array<{ readonly digest: string; readonly told: unknown[]; readonly blobs: string[] }> = [];
    const paths = ['/left', '/right', '/apart'];
    const orders = [paths, [...paths].reverse(), ['/right', '/apart', '/left'], undefined];
    for (const order of orders) {
      await server.close();
      server = await gatedServer();
      // The address is in the history: all have to ask the same.
      const dockerfile = diamond.replaceAll('URL', 'http://files.invalid');
      const root = join(folder, `store-${++stores}`);
      const { work, events } = begin(dockerfile.replaceAll('http://files.invalid', server.url), {
        root,
        concurrency: order === undefined ? 1 : 8,
      });
      if (order !== undefined) await server.waitFor(...paths);
      for (const path of order ?? paths) {
        server.release(path);
        await pause(20);
      }
      const { config } = await work;
      const history = JSON.stringify(config).replaceAll(server.url, 'URL');
      const told = JSON.parse(JSON.stringify(summary(events)).replaceAll(server.url, 'URL')) as unknown[];
      const layers = config.rootfs.diff_ids.join(' ');
      results.push({ digest: `${layers} ${history}`, told, blobs: readdirSync(join(root, 'layers')).sort() });
    }
    for (const result of results) expect(result).toEqual(results[0]);
  });

  it('tell of a step when it begins, and begin it when all is done that it needs', async () => {
    for (const path of ['/left', '/right', '/apart']) server.release(path);
    const { work, events } = begin(diamond, { concurrency: 2 });
    await work;
    const needs: ReadonlyArray<readonly [string, string]> = [
      ['COPY d /d', 'ADD URL/left /left'],
      ['COPY d /d', 'ADD URL/right /right'],
      ['ADD URL/right /right', 'ENV X=y'],
      ['WORKDIR /w', 'ADD URL/apart .'],
      ['ADD URL/left /left', 'COPY --from=left /left /'],
      ['COPY --from=left /left /', 'COPY --from=right /right /'],
      ['ENV X=y', 'COPY --from=right /right /'],
      ['ADD URL/apart .', 'COPY --from=apart /w /w'],
    ];
    const order = events.flatMap(event =>
      event.kind === 'step-started' || event.kind === 'step-done'
        ? [`${event.kind} ${event.step.title.replaceAll(server.url, 'URL')}`]
        : [],
    );
    for (const [first, second] of needs) {
      expect(order.indexOf(`step-done ${first}`), `${first} before ${second}`).toBeGreaterThanOrEqual(0);
      expect(order.indexOf(`step-done ${first}`)).toBeLessThan(order.indexOf(`step-started ${second}`));
    }
    let running = 0;
    for (const event of events) {
      if (event.kind === 'step-started') running += 1;
      if (event.kind === 'step-done') running -= 1;
      expect(running).toBeLessThanOrEqual(2);
    }
    const ids = stepsOf(events, 'step-started').map(step => step.id);
    expect(ids.sort((a, b) => a - b)).toEqual(Array.from({ length: 9 }, (_, i) => i + 1));
  });

  it('are begun in order of the file, one after the other, when one may run', async () => {
    for (const path of ['/left', '/right', '/apart']) server.release(path);
    const { work, events } = begin(diamond, { concurrency: 1 });
    await work;
    expect(stepsOf(events, 'step-started').map(step => step.id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(stepsOf(events, 'step-started').map(step => step.line)).toEqual([2, 4, 6, 7, 9, 10, 12, 13, 14]);
  });

  it.each([0, -1, 1.5, Number.NaN])('are not refused a place by %d', async concurrency => {
    const error = await begin('FROM scratch\n', { concurrency }).work.catch(thrown => thrown as unknown);
    expect(isLadingError(error, 'USAGE')).toBe(true);
  });
});

/** Nothing in the making is left, and the store is sound. */
async function expectClean(root: string): Promise<void> {
  const sessions = readdirSync(join(root, 'tmp'));
  expect(sessions.flatMap(session => readdirSync(join(root, 'tmp', session)))).toEqual([]);
  const store = await openStore(root);
  expect((await store.check()).problems).toEqual([]);
  expect(await store.images()).toEqual([]);
  await store.close();
}

async function connections(): Promise<number> {
  return await new Promise((resolve, reject) =>
    server.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );
}

describe('a stage that fails', () => {
  it('ends the others at once, and nothing is left', async () => {
    const root = join(folder, 'store');
    const store = await openStore(root);
    const { work, events } = begin(diamond, { root, store });
    await server.waitFor('/left', '/right', '/apart');
    server.release('/right', 404);
    const error = await work.catch(thrown => thrown as unknown);
    if (!isLadingError(error, 'REMOTE_FILE')) throw error;
    expect(error.place?.range.start.line).toBe(6);
    expect(error.place?.excerpt).toContain('>>> ADD');
    const failed = events.flatMap(event => (event.kind === 'step-failed' ? [[event.step.line, event.cancelled]] : []));
    expect(failed[0]).toEqual([6, false]);
    expect(failed.slice(1).sort()).toEqual([
      [10, true],
      [4, true],
    ]);
    expect(titles(events, 'step-started').some(title => title.startsWith('COPY --from'))).toBe(false);
    // Before the store is closed, which would sweep.
    await expectClean(root);
    expect(await connections()).toBe(0);
    await store.close();
  });

  it('is told by its place in the file, when several fail', async () => {
    const dockerfile = `FROM scratch AS one
COPY nope-1 /
FROM scratch AS two
COPY nope-2 /
FROM scratch
COPY --from=two / /
COPY --from=one / /
`;
    for (const concurrency of [1, 2, 8]) {
      const error = await begin(dockerfile, { concurrency }).work.catch(thrown => thrown as unknown);
      if (!isLadingError(error, 'SOURCE_NOT_FOUND')) throw error;
      expect(error.place?.range.start.line).toBe(2);
    }
  });

  it('is as good as a caller who has enough', async () => {
    const root = join(folder, 'store');
    const store = await openStore(root);
    const abort = new AbortController();
    const { work, events } = begin(diamond, { root, store, signal: abort.signal });
    await server.waitFor('/left', '/right', '/apart');
    abort.abort(new Error('enough'));
    await expect(work).rejects.toThrow('enough');
    const failed = events.flatMap(event => (event.kind === 'step-failed' ? [event.cancelled] : []));
    expect(failed).toEqual([true, true, true]);
    await expectClean(root);
    expect(await connections()).toBe(0);
    await store.close();
  });
});

describe('one layer of several steps', () => {
  const twice = `FROM scratch AS one
COPY . /x
FROM scratch AS two
COPY --from=one /x/a /before
COPY . /x
FROM scratch AS three
COPY . /x
FROM scratch
COPY --from=two / /two
COPY --from=three / /three
`;

  /** Steps that packed, by line: only what packs makes progress. */
  function packers(events: readonly BuildImageEvent[], title: string): number {
    const ids = events.flatMap(event =>
      event.kind === 'step-progress' && event.step.title === title ? [event.step.id] : [],
    );
    return new Set(ids).size;
  }

  it.each([
    ['at the same time', 8],
    ['one after the other', 1],
  ])('is packed once, also without the cache, %s', async (_, concurrency) => {
    const root = join(folder, 'store');
    for (const noCache of [false, true]) {
      const { work, events } = begin(twice, { root, concurrency, noCache });
      await work;
      expect(packers(events, 'COPY . /x')).toBe(1);
      const done = events.flatMap(event =>
        event.kind === 'step-done' && event.step.title === 'COPY . /x' ? [event] : [],
      );
      expect(done.map(({ cached }) => cached)).toEqual([false, false, false]);
      expect(new Set(done.map(({ layer }) => layer?.diffId)).size).toBe(1);
    }
  });

  it.each([1, 8])('is taken from the cache, or not, as each stage wants it, with %d at a time', async concurrency => {
    const root = join(folder, 'store');
    await begin(twice, { root, concurrency }).work;
    const { work, events } = begin(twice, { root, concurrency, noCacheFilter: ['three'] });
    await work;
    const cached = events.flatMap(event => (event.kind === 'step-done' ? [[event.step.line, event.cached]] : []));
    expect(Object.fromEntries(cached)).toEqual({ 2: true, 4: true, 5: true, 7: false, 9: true, 10: true });
  });
});

describe('long files', () => {
  it('has 300 stages, in a row and side by side', async () => {
    const row = Array.from(
      { length: 100 },
      (_, i) => `FROM ${i === 0 ? 'scratch' : `r${i - 1}`} AS r${i}\nENV E${i}=1\n`,
    );
    const wide = Array.from({ length: 199 }, (_, i) => `FROM scratch AS w${i}\nCOPY a /${i}\n`);
    const last = `FROM r99\n${wide.map((_, i) => `COPY --from=w${i} / /\n`).join('')}`;
    const { work, events } = begin([...row, ...wide, last].join(''));
    const { files, config } = await work;
    expect(files).toHaveLength(199);
    expect(config.config?.Env).toContain('E99=1');
    expect(stepsOf(events, 'step-done')).toHaveLength(100 + 199 + 199);
  }, 60_000);

  it('holds few files open with 50 stages for 4 platforms', async () => {
    const stages = Array.from(
      { length: 50 },
      (_, i) =>
        `FROM scratch AS s${i}\nARG TARGETARCH\nCOPY d /$TARGETARCH-${i}\nCOPY --from=${Math.max(0, i - 1)} . /up\n`,
    );
    // The first stage cannot take from itself.
    stages[0] = 'FROM scratch AS s0\nARG TARGETARCH\nCOPY d /$TARGETARCH-0\n';
    let most = 0;
    const before = readdirSync('/proc/self/fd').length;
    const { work } = begin(stages.join(''), {
      platforms: ['linux/amd64', 'linux/arm64', 'linux/arm/v7', 'linux/s390x'],
      concurrency: 64,
      onEvent: () => void (most = Math.max(most, readdirSync('/proc/self/fd').length)),
    });
    const { images } = await work;
    expect(images).toHaveLength(4);
    expect(most - before).toBeLessThan(150);
    await pause(50);
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before + 2);
  }, 60_000);
});
