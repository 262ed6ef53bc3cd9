import { existsSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type BuildImageOptions, buildImage } from '../../src/api/build-image.js';
import { openStore } from '../../src/store/store.js';
import { built, host, writeFiles } from '../support/building.js';
import { tempDir } from '../support/temp-dir.js';

const dockerfile = 'FROM base:1\nWORKDIR /w\nCOPY . .\n';

let root: string;
let context: string;
beforeEach(async () => {
  const folder = await tempDir();
  root = join(folder, 'store');
  const base = writeFiles(join(folder, 'base'), { Dockerfile: 'FROM scratch\nCOPY f /etc/f\n', f: 'base' });
  await built(root, base, { tags: ['base:1'] });
  context = writeFiles(join(folder, 'context'), { Dockerfile: dockerfile, a: 'aaaa', 'd/b': 'bbbb' });
});
afterEach(() => void vi.useRealTimers());

interface Run {
  readonly digest: string;
  readonly cached: boolean[];
  /** Whether the tree below was needed, which it is not for steps that are known. */
  readonly carriedOut: boolean;
}

/** A build as of a time, in ms from now. */
async function run(later: number, options: Partial<BuildImageOptions> = {}): Promise<Run> {
  const layers = join(root, 'layers');
  rmSync(layers, { recursive: true, force: true });
  vi.useFakeTimers({ toFake: ['Date'], now: performance.timeOrigin + performance.now() + later });
  const cached: boolean[] = [];
  const store = await openStore(root);
  const onEvent: BuildImageOptions['onEvent'] = event => {
    if (event.kind === 'step-done' && event.layer) cached.push(event.cached);
  };
  const { descriptor } = await buildImage({ store, host, context, pull: 'never', onEvent, ...options });
  await store.close();
  vi.useRealTimers();
  const carriedOut = existsSync(layers) && readdirSync(layers).some(name => name !== 'blobs');
  return { digest: descriptor.digest, cached, carriedOut };
}

/** What a build without a past makes of it. */
async function uncached(): Promise<string> {
  return (await run(10_000, { noCache: true })).digest;
}

describe('a step whose files have not changed', () => {
  it('is known by what stat says of them, and no tree is made', async () => {
    const first = await run(10_000);
    expect(first).toMatchObject({ cached: [false, false], carriedOut: true });
    expect(await run(10_000)).toEqual({ ...first, cached: [true, true], carriedOut: false });
    expect(await uncached()).toBe(first.digest);
  });

  it('is known wherever it stands in the file', async () => {
    const first = await run(10_000);
    const text = `# one more line\n\n${dockerfile}`;
    expect(await run(10_000, { dockerfileText: text, dockerfile: 'Dockerfile' })).toMatchObject({
      cached: [true, true],
    });
    expect((await run(10_000)).carriedOut).toBe(false);
    expect((await run(10_000)).digest).toBe(first.digest);
  });

  it('is carried out when they changed so lately that stat could not tell, until they have not', async () => {
    const soon = performance.timeOrigin / 1000 + performance.now() / 1000 + 5;
    utimesSync(join(context, 'a'), soon, soon);
    expect(await run(0)).toMatchObject({ cached: [false, false], carriedOut: true });
    expect(await run(0)).toMatchObject({ cached: [true, true], carriedOut: true });
    expect(await run(60_000)).toMatchObject({ cached: [true, true], carriedOut: true });
    expect(await run(60_000)).toMatchObject({ cached: [true, true], carriedOut: false });
  });

  it('is never known while the clock says that they are of the future', async () => {
    await run(-3_600_000);
    expect(await run(-3_600_000)).toMatchObject({ cached: [true, true], carriedOut: true });
    await run(10_000);
    expect(await run(-3_600_000)).toMatchObject({ cached: [true, true], carriedOut: false });
  });

  it('is known again when a change is taken back, only if the files say so themselves', async () => {
    const first = await run(10_000);
    const { atime, mtime } = statSync(join(context, 'a'));
    writeFileSync(join(context, 'a'), 'AAAA');
    utimesSync(join(context, 'a'), atime, mtime);
    const second = await run(10_000);
    expect(second).toMatchObject({ cached: [true, false], carriedOut: true });
    expect(second.digest).toBe(await uncached());
    writeFileSync(join(context, 'a'), 'aaaa');
    utimesSync(join(context, 'a'), atime, mtime);
    expect(await run(10_000)).toEqual({ ...first, cached: [true, true], carriedOut: true });
  });

  it('is carried out when its record is damaged, or those of before are gone', async () => {
    const first = await run(10_000);
    const records = join(root, 'cache/steps');
    for (const name of readdirSync(records)) writeFileSync(join(records, name), 'nonsense');
    expect(await run(10_000)).toEqual({ ...first, carriedOut: true });
    rmSync(join(root, 'cache'), { recursive: true });
    expect(await run(10_000)).toEqual({ ...first, carriedOut: true });
    expect(await run(10_000)).toEqual({ ...first, cached: [true, true], carriedOut: false });
  });

  it('does not keep files that were read before from being known', async () => {
    const more = `${dockerfile}COPY d/b /b\n`;
    await run(10_000, { dockerfileText: more });
    writeFileSync(join(context, 'd/b'), 'changed');
    // The first COPY is one of all files: of them only one has to be read again.
    await run(10_000, { dockerfileText: `${dockerfile}COPY d/b /c\n` });
    const notes = join(root, 'cache/context');
    const sizes = readdirSync(notes).map(name => statSync(join(notes, name)).size);
    await run(10_000, { dockerfileText: `${dockerfile}COPY d/b /c\n` });
    await run(10_000, { dockerfileText: `${dockerfile}COPY d/b /d\n` });
    expect(readdirSync(notes).map(name => statSync(join(notes, name)).size)).toEqual(sizes);
  });

  it('is the same for builds at the same time', async () => {
    const runs = await Promise.all(
      [1, 2, 3].map(async () => {
        const store = await openStore(root);
        const { descriptor } = await buildImage({ store, host, context, pull: 'never' });
        await store.close();
        return descriptor.digest;
      }),
    );
    expect(new Set(runs)).toEqual(new Set([await uncached()]));
    expect((await run(10_000)).digest).toBe(runs[0]);
  });

  it.each([
    ['--exclude', 'COPY --exclude=d . /x/'],
    ['--parents', 'COPY --parents d/b /x/'],
  ])('is carried out with %s: nothing tells but that', async (_, line) => {
    const options = { dockerfileText: `FROM base:1\n${line}\n` };
    await run(10_000, options);
    expect(await run(10_000, options)).toMatchObject({ cached: [true], carriedOut: true });
  });

  it('has a record of its own for other times, other compression and another epoch', async () => {
    await run(10_000);
    for (const options of [
      { timestamps: 'keep' },
      { level: 1 },
      { compression: 'none' },
      { buildArgs: { SOURCE_DATE_EPOCH: '5' } },
    ] as const) {
      const first = await run(10_000, options);
      expect(first).toMatchObject({ cached: [expect.anything(), false], carriedOut: true });
      expect(await run(10_000, options)).toEqual({ ...first, cached: [true, true], carriedOut: false });
    }
  });
});
