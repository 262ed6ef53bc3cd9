import { chmodSync, mkdtempSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BuildImageEvent, BuildImageOptions } from '../../src/api/build-image.js';
import { built, writeFiles } from '../support/building.js';

let folder: string;
let context: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lading-cache-'));
  context = writeFiles(join(folder, 'context'), { a: 'a', b: 'b', 'd/x': 'x', hidden: '', '.dockerignore': 'hidden' });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Of each step that makes a layer: whether it came from the cache. */
async function hits(lines: string, options: Partial<BuildImageOptions> = {}): Promise<boolean[]> {
  const events: BuildImageEvent[] = [];
  await built(join(folder, 'store'), context, {
    dockerfileText: lines.startsWith('FROM') ? `${lines}\n` : `FROM scratch\n${lines}\n`,
    onEvent: event => events.push(event),
    ...options,
  });
  return events.flatMap(event => (event.kind === 'step-done' && event.layer !== undefined ? [event.cached] : []));
}

/** Steps whose files have changed lately are looked up by what they come to, others by what `stat` says of the files. */
const ages = [
  ['just now', 0],
  ['a while ago', 10_000],
] as const;

describe.each(ages)('a step whose files were written %s comes from the cache', (_, age) => {
  beforeEach(() => clockAhead(age));
  afterEach(() => void vi.useRealTimers());

  it.each([
    ['settings before it changed', 'ENV A=1\nLABEL b=1\nCOPY a /', 'ENV A=2\nLABEL b=2\nUSER 5\nCOPY a /'],
    ['an argument that it does not use changed', 'ARG A=1\nCOPY a /', 'ARG A=2\nCOPY a /'],
    ['it is written in other words', 'WORKDIR /w\nCOPY ./a x', 'WORKDIR /w\nCOPY a ./x'],
  ])('when %s', async (_, before, after) => {
    await hits(before);
    expect((await hits(after)).at(-1)).toBe(true);
  });

  it.each<[string, () => void]>([
    ['times', () => utimesSync(join(context, 'a'), 1, 1_000_000_000)],
    ['a file that is not copied', () => writeFiles(context, { b: 'changed' })],
    ['a file that is ignored', () => writeFiles(context, { hidden: 'changed' })],
  ])('when %s changed', async (_, change) => {
    await hits('COPY a d /x/');
    change();
    expect(await hits('COPY a d /x/')).toEqual([true]);
  });

  it('when it is linked, whatever the base has become', async () => {
    await hits('COPY a /\nCOPY --link d /d/');
    writeFiles(context, { a: 'changed' });
    expect(await hits('COPY a /\nCOPY --link d /d/')).toEqual([false, true]);
  });

  it('when another platform or stage had it', async () => {
    await hits('COPY a /', { platforms: ['linux/arm64'] });
    expect(await hits('COPY a /')).toEqual([true]);
    expect(await hits('FROM scratch AS one\nCOPY a /\nFROM one\nWORKDIR /w')).toEqual([true, false]);
  });
});

describe.each(ages)('a step whose files were written %s is carried out', (_, age) => {
  beforeEach(() => clockAhead(age));
  afterEach(() => void vi.useRealTimers());

  const chown = (uid: number): string => `COPY <<EOF /etc/passwd
app:x:${uid}:5::/:/bin/sh
EOF
COPY --chown=app a /`;
  const from = (file: string): string =>
    `FROM scratch AS one\nCOPY ${file} /file\nFROM scratch\nCOPY --from=one /file /`;

  it.each<[string, () => void]>([
    ['content', () => writeFiles(context, { 'd/x': 'changed' })],
    ['mode', () => chmodSync(join(context, 'd/x'), 0o600)],
    ['names', () => writeFiles(context, { 'd/y': '' })],
    ['kind', () => writeFiles(context, { 'd/l': '-> x' })],
    ['link', () => writeFiles(context, { 'd/m': '-> hidden' })],
  ])('when the %s of what it copies changed', async (_, change) => {
    await hits('COPY d /x/');
    change();
    expect(await hits('COPY d /x/')).toEqual([false]);
  });

  it.each([
    ['its owner', 'COPY --chown=1 a /', 'COPY --chown=2 a /'],
    ['its mode', 'COPY --chmod=600 a /', 'COPY --chmod=640 a /'],
    ['its destination', 'COPY a /', 'COPY a /x'],
    ['a variable in it', 'ARG A=/x\nCOPY a $A', 'ARG A=/y\nCOPY a $A'],
    ['what a name means', chown(7), chown(8)],
    ['what lies below', 'COPY --chown=5 a /x/\nCOPY d /x/', 'COPY --chown=6 a /x/\nCOPY d /x/'],
    ['the stage that it copies from', from('a'), from('b')],
    ['what stands in the Dockerfile', 'COPY <<E /f\none\nE', 'COPY <<E /f\ntwo\nE'],
  ])('when %s changed', async (_, before, after) => {
    await hits(before);
    expect((await hits(after)).at(-1)).toBe(false);
  });
});

/** What is written now is older by that for a build. */
function clockAhead(ms: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms });
}
