import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyImage } from '../src/content/copy.js';
import { openImage } from '../src/image/image.js';
import { validateImage } from '../src/image/validate.js';
import { ImageLayout } from '../src/store/layout.js';
import { openStore, type Store } from '../src/store/store.js';
import { differenceOf } from './compatibility/differences.js';
import { host } from './support/building.js';
import {
  type CorpusCase,
  comparable,
  corpusCases,
  corpusRoot,
  type Golden,
  goldensOf,
  inputOf,
  ladingArguments,
  prepareCase,
  recordedRoot,
} from './support/corpus.js';
import { summarize } from './support/image-summary.js';
import { describeWith } from './support/programs.js';
import { runCli } from './support/run-cli.js';
import { sandboxPrograms } from './support/running.js';

const cases = [corpusRoot, recordedRoot].flatMap(root => corpusCases(root));

let folder: string;
let store: Store;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lading-corpus-'));
  store = await openStore(join(folder, 'store'));
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

async function build(one: CorpusCase) {
  const work = join(folder, one.name);
  prepareCase(one, work);
  const result = await runCli(
    ['build', '--root', store.root, '--progress', 'json', '-t', `corpus/${one.name}`, ...ladingArguments(one)],
    { cwd: work, env: { PATH: process.env['PATH'], ...one.env }, stdin: inputOf(one, work) },
  );
  return { ...result, work };
}

/** What a build says that the recorded results have too, in their form. */
async function summary(one: CorpusCase, golden: Golden): Promise<Record<string, unknown>> {
  const descriptor = await store.resolve(`corpus/${one.name}`);
  await validateImage(store, descriptor);
  const image = await openImage(store, descriptor, { platform: host });
  const base = golden.base === null ? undefined : await baseImage(golden.base);
  const all: Record<string, unknown> = { ...(await summarize(image, base, store, one.mtimePaths)), base: golden.base };
  const keys = Object.keys(golden).filter(key => !['expect', 'warnings', 'frontend'].includes(key));
  return Object.fromEntries(keys.map(key => [key, all[key]]));
}

async function baseImage(name: string) {
  const layout = new ImageLayout(join(corpusRoot, 'bases', name));
  const copied = await copyImage(layout, await layout.resolve(''), store, { platforms: [host] });
  return await openImage(store, copied, { platform: host });
}

async function check(name: string, one: CorpusCase): Promise<void> {
  const [golden, newer] = goldensOf(one);
  const { code, stderr, work } = await build(one);
  try {
    const difference = differenceOf(name);
    const recorded = [golden, newer].flatMap(one => (one === undefined ? [] : [warningsOf(one)]));
    if (difference === 'warns') expect(recorded).not.toContainEqual(warningsIn(stderr));
    else expect(recorded).toContainEqual(warningsIn(stderr));
    if (typeof difference === 'object') {
      expect(code, stderr).toBe(0);
      const { tree } = await summary(one, { ...golden, base: null, tree: {} });
      expect(tree).toHaveProperty([difference.file, 'type'], 'file');
      return;
    }
    if (difference === 'refused') {
      expect(code, stderr).toBe(1);
      return;
    }
    if (golden.expect === 'error') {
      expect(code, stderr).toBe(1);
      expect(stderr).toContain(one.errorContains ?? '');
      const lines = [...stderr.matchAll(/^\s*(\d+) \| >>>/gm)].map(match => Number(match[1]));
      if (golden['errorLines'] !== undefined) expect(lines, stderr).toEqual(golden['errorLines']);
      return;
    }
    expect(code, stderr).toBe(0);
    const actual = await summary(one, golden);
    // Where the two recorded frontends differ, either answer is right.
    if (newer !== undefined) expect([comparable(golden), comparable(newer)]).toContainEqual(actual);
    else expect(actual).toEqual(comparable(golden));
  } finally {
    makeRemovable(work);
  }
}

function named(needsRun: boolean) {
  return cases.filter(one => one.needsRun === needsRun).map(one => [one.name, one] as const);
}

describe('the corpus of recorded builds', () => {
  it.each(named(false))('%s', check);
});

describeWith(sandboxPrograms, 'the corpus of recorded builds, with RUN', () => {
  it.each(named(true))('%s', check);
});

/** `Rule: message (line N)`; Docker prints them in no order. */
function warningsOf(golden: Golden): string[] {
  return [...((golden['warnings'] as string[] | undefined) ?? [])].sort();
}

function warningsIn(stderr: string): string[] {
  const events = stderr.split('\n').filter(line => line.startsWith('{"kind":"diagnostic"'));
  return events
    .map(line => JSON.parse(line).diagnostic)
    .map(({ rule, message, range }) => `${rule}: ${message} (line ${range.start.line})`)
    .sort();
}

function makeRemovable(path: string): void {
  if (existsSync(path)) chmodSync(path, 0o755);
  rmSync(path, { recursive: true, force: true });
}
