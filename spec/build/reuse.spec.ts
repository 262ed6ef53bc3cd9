import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import type { BuildImageEvent, BuildImageOptions } from '../../src/api/build-image.js';
import type { SegmentCounts } from '../../src/layer/layer-store.js';
import type { Digest } from '../../src/oci/digest.js';
import { openStore } from '../../src/store/store.js';
import { built, writeFiles } from '../support/building.js';
import { tempDir } from '../support/temp-dir.js';

let root: string;
let context: string;
beforeEach(async () => {
  root = join(await tempDir(), 'store');
  context = await tempDir();
});

/** Some MiB in many files, so that a layer of them has several segments. */
function manyFiles(): void {
  for (let i = 0; i < 400; i++) {
    mkdirSync(join(context, `d${i % 9}`), { recursive: true });
    writeFileSync(join(context, `d${i % 9}`, `f${i}`), `${i}: some text\n`.repeat((i * 53) % 1500));
  }
}

/** Which of the layers were there, and the digest of the image. */
async function run(options: Partial<BuildImageOptions> = {}): Promise<{ cached: boolean[]; digest: Digest }> {
  const events: BuildImageEvent[] = [];
  const { descriptor } = await built(root, context, { onEvent: event => events.push(event), ...options });
  const cached = events.flatMap(event => (event.kind === 'step-done' && event.layer ? [event.cached] : []));
  return { cached, digest: descriptor.digest };
}

async function fresh(): Promise<Digest> {
  return (await built(join(await tempDir(), 'store'), context)).descriptor.digest;
}

describe('building again', () => {
  it('finds a tree that was touched, and one that is elsewhere', async () => {
    writeFiles(context, { Dockerfile: 'FROM scratch\nCOPY . /\n' });
    manyFiles();
    const first = await run();
    expect(first.cached).toEqual([false]);
    for (const name of readdirSync(context)) utimesSync(join(context, name), 1.5e9, 1.5e9);
    for (let i = 0; i < 400; i++) utimesSync(join(context, `d${i % 9}`, `f${i}`), 1.7e9, 1.7e9);
    expect(await run()).toEqual({ ...first, cached: [true] });
    const other = await tempDir();
    cpSync(context, other, { recursive: true });
    rmSync(context, { recursive: true });
    context = other;
    expect(await run()).toEqual({ ...first, cached: [true] });
  });

  it('leaves nothing of what it began to take over from a layer that is there already', async () => {
    writeFiles(context, { Dockerfile: 'FROM scratch\nCOPY . /\n' });
    manyFiles();
    const first = await run();
    const files = () =>
      readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(path => /^(blobs|layers|tmp)/.test(path));
    const before = files().sort();
    for (let i = 0; i < 400; i++) utimesSync(join(context, `d${i % 9}`, `f${i}`), 1.7e9, 1.7e9);
    expect(await run()).toEqual({ ...first, cached: [true] });
    expect(files().sort()).toEqual(before);
  });

  it('sees a byte that changes while size and time are put back', async () => {
    writeFiles(context, { Dockerfile: 'FROM scratch\nCOPY . /\n' });
    manyFiles();
    const path = join(context, 'd1', 'f100');
    utimesSync(path, 1.7e9, 1.7e9);
    await sleep(200);
    const first = await run();
    expect(await run()).toEqual({ ...first, cached: [true] });
    const { atime, mtime, size } = statSync(path);
    writeFileSync(path, `${'X'}${'100: some text\n'.repeat((100 * 53) % 1500).slice(1)}`);
    utimesSync(path, atime, mtime);
    expect([statSync(path).size, statSync(path).mtimeMs]).toEqual([size, mtime.getTime()]);
    const changed = await run();
    expect(changed.cached).toEqual([false]);
    expect(changed.digest).not.toBe(first.digest);
    expect(changed.digest).toBe(await fresh());
  });

  it('sees what changes at once after a build, in the same tick of the clock', async () => {
    writeFiles(context, { Dockerfile: 'FROM scratch\nCOPY f /\n', f: 'aaaa' });
    const digests = new Set<Digest>();
    for (const text of ['bbbb', 'cccc', 'dddd', 'eeee', 'ffff', 'gggg']) {
      writeFileSync(join(context, 'f'), text);
      digests.add((await run()).digest);
    }
    expect(digests.size).toBe(6);
  });

  it('gives the bytes of a fresh build after any change', async () => {
    writeFiles(context, { Dockerfile: 'FROM scratch\nCOPY . /\n' });
    manyFiles();
    await run();
    const changes: Array<() => void> = [
      () => writeFileSync(join(context, 'd2', 'f20'), 'changed'),
      () => rmSync(join(context, 'd3'), { recursive: true }),
      () => writeFileSync(join(context, 'd5', 'a new one'), 'n'.repeat(3_000_000)),
    ];
    for (const change of changes) {
      change();
      expect((await run()).digest).toBe(await fresh());
    }
  });

  it('takes over segments from a stage whose files have changed', async () => {
    writeFiles(context, { Dockerfile: 'FROM scratch AS a\nCOPY . /x/\nFROM scratch\nCOPY --from=a /x /y\n' });
    manyFiles();
    const first = await run();
    expect(first.cached).toEqual([false, false]);
    writeFileSync(join(context, 'd2', 'f20'), 'changed');
    const segments: SegmentCounts[] = [];
    const onEvent = (event: BuildImageEvent): void => {
      if (event.kind === 'step-done' && event.segments !== undefined) segments.push(event.segments);
    };
    expect((await built(root, context, { onEvent })).descriptor.digest).toBe(await fresh());
    // The stage, and what is copied from it.
    expect(segments).toHaveLength(2);
    for (const { made, taken } of segments) {
      expect(made).toBeGreaterThan(0);
      expect(made).toBeLessThanOrEqual(2);
      expect(taken).toBeGreaterThan(made);
    }
  });

  it('takes nothing over from a blob that is damaged', async () => {
    writeFiles(context, { Dockerfile: 'FROM scratch\nCOPY . /\n' });
    manyFiles();
    await run();
    const blobs = join(root, 'blobs', 'sha256');
    const [largest] = readdirSync(blobs).sort((a, b) => statSync(join(blobs, b)).size - statSync(join(blobs, a)).size);
    const whole = readFileSync(join(blobs, largest!));
    for (const at of [11, Math.floor(whole.length / 2), whole.length - 20]) {
      const store = join(await tempDir(), 'store');
      cpSync(root, store, { recursive: true });
      writeFileSync(join(store, 'blobs', 'sha256', largest!), whole.with(at, whole[at]! ^ 1));
      writeFileSync(join(context, 'd2', 'f20'), `changed ${at}`);
      expect((await built(store, context)).descriptor.digest).toBe(await fresh());
    }
  });

  it('packs again without the cache, and comes to the same', async () => {
    writeFiles(context, { Dockerfile: 'FROM scratch\nCOPY . /\n' });
    manyFiles();
    const first = await run();
    expect(await run({ noCache: true })).toEqual(first);
  });

  it('is safe when several builds of one context run at the same time', async () => {
    writeFiles(context, { Dockerfile: 'FROM scratch\nCOPY . /\n' });
    manyFiles();
    await sleep(200);
    const results = await Promise.all([1, 2, 3].map(() => run()));
    expect(new Set(results.map(({ digest }) => digest)).size).toBe(1);
    expect((await run()).cached).toEqual([true]);
    const store = await openStore(root);
    expect((await store.check()).problems).toEqual([]);
    await store.close();
  });

  it('does not trust notes that are damaged or of another version', async () => {
    writeFiles(context, { Dockerfile: 'FROM scratch\nCOPY . /\n', f: 'text' });
    await sleep(200);
    const first = await run();
    const folder = join(root, 'cache', 'context');
    const [name] = readdirSync(folder);
    for (const content of ['', 'lading context 0 00\n', 'x'.repeat(300)]) {
      writeFileSync(join(folder, name!), content);
      expect(await run()).toEqual({ ...first, cached: [true] });
    }
  });
});
