import { lstatSync, mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { beforeEach, describe, expect, it } from 'vitest';
import type { BuildImageOptions } from '../../src/api/build-image.js';
import { openImage } from '../../src/image/image.js';
import { openStore } from '../../src/store/store.js';
import type { IndexEntry } from '../../src/tree/layer-index.js';
import { built, writeFiles } from '../support/building.js';
import { describeWith, runProgram } from '../support/programs.js';
import { tempDir } from '../support/temp-dir.js';

let root: string;
let context: string;
beforeEach(async () => {
  root = join(await tempDir(), 'store');
  context = await tempDir();
});

/** Times that a double can say. */
const half = 1_600_000_000.5;
const eighth = 1_500_000_000.125;

function writeContext(dockerfile: string): void {
  writeFiles(context, { Dockerfile: dockerfile, 'd/half': 'a', 'd/whole': 'b', 'd/old': 'c' });
  utimesSync(join(context, 'd/half'), half, half);
  utimesSync(join(context, 'd/whole'), 1_600_000_000, 1_600_000_000);
  utimesSync(join(context, 'd/old'), new Date(-1500), new Date(-1500));
  utimesSync(join(context, 'd'), eighth, eighth);
}

/** The last layer: its digest, its entries by their paths, and its tar. */
async function lastLayer(options: Partial<BuildImageOptions> = {}, place = root) {
  const store = await openStore(place);
  try {
    const { descriptor } = await built(place, context, { store, ...options });
    const { layers } = await openImage(store, descriptor);
    const { diffId, descriptor: blob } = layers.at(-1)!;
    const { entries } = await store.layerIndex({ diffId, blob });
    const tar = gunzipSync(readFileSync(join(place, 'blobs', 'sha256', blob.digest.slice('sha256:'.length))));
    return {
      diffId,
      digest: descriptor.digest,
      times: new Map(entries.map(entry => [entry.path, timeOf(entry)])),
      tar,
    };
  } finally {
    await store.close();
  }
}

function timeOf(entry: IndexEntry): string {
  return 'mtime' in entry ? `${entry.mtime} ${entry.mtimeNanoseconds ?? 0}` : '';
}

const exactly = {
  d: '1500000000 125000000',
  'd/half': '1600000000 500000000',
  'd/old': '-2 500000000',
  'd/whole': '1600000000 0',
};
const inSeconds = { d: '1500000000 0', 'd/half': '1600000000 0', 'd/old': '-2 0', 'd/whole': '1600000000 0' };
const clamped = { d: '946684800 0', 'd/half': '946684800 0', 'd/old': '-2 0', 'd/whole': '946684800 0' };

describe('times below a second', () => {
  it('are in layers when they are asked for, and not else', async () => {
    writeContext('FROM scratch\nCOPY . /\n');
    writeFiles(context, { '.dockerignore': 'Dockerfile\n.dockerignore\n' });
    expect(Object.fromEntries((await lastLayer({ timestamps: 'exact' })).times)).toEqual(exactly);
    // One store: each is a step of its own.
    expect(Object.fromEntries((await lastLayer({ timestamps: 'keep' })).times)).toEqual(inSeconds);
    expect(Object.fromEntries((await lastLayer()).times)).toEqual(clamped);
    expect(Object.fromEntries((await lastLayer({ timestamps: 'exact' })).times)).toEqual(exactly);
  });

  it('give the same bytes with any number of threads, from the cache and without it', async () => {
    writeContext('FROM scratch\nCOPY d /d/\n');
    const digests = new Set([(await lastLayer({ timestamps: 'exact' })).digest]);
    digests.add((await lastLayer({ timestamps: 'exact' })).digest);
    digests.add((await lastLayer({ timestamps: 'exact', noCache: true })).digest);
    for (const threads of [0, 1, 3]) {
      const store = await openStore(join(await tempDir(), 'store'), { threads });
      digests.add((await built(store.root, context, { store, timestamps: 'exact' })).descriptor.digest);
      await store.close();
    }
    expect(digests.size).toBe(1);
  });

  it('are part of the key', async () => {
    writeContext('FROM scratch\nCOPY d /d/\n');
    const first = await lastLayer({ timestamps: 'exact' });
    const kept = await lastLayer({ timestamps: 'keep' });
    utimesSync(join(context, 'd/half'), half + 0.25, half + 0.25);
    const second = await lastLayer({ timestamps: 'exact' });
    expect(second.times.get('d/half')).toBe('1600000000 750000000');
    expect(second.diffId).not.toBe(first.diffId);
    expect((await lastLayer({ timestamps: 'keep' })).diffId).toBe(kept.diffId);
    utimesSync(join(context, 'd'), eighth + 0.25, eighth + 0.25);
    expect((await lastLayer({ timestamps: 'exact' })).times.get('d')).toBe('1500000000 375000000');
  });

  it('are taken from other images and stages', async () => {
    writeContext('FROM scratch\nCOPY d /d/\n');
    await lastLayer({ timestamps: 'exact', tags: ['times:1'] });
    writeFileSync(
      join(context, 'Dockerfile'),
      'FROM times:1 AS base\nCOPY d/whole /d/new\nFROM scratch\nCOPY --from=base /d /e\n',
    );
    const expected = (d: string, file: string) => ({ e: d, 'e/half': file });
    const picked = ({ times }: { times: ReadonlyMap<string, string> }) => ({
      e: times.get('e'),
      'e/half': times.get('e/half'),
    });
    expect(picked(await lastLayer({ timestamps: 'exact' }))).toEqual(expected(exactly.d, exactly['d/half']));
    expect(picked(await lastLayer({ timestamps: 'keep' }))).toEqual(expected(inSeconds.d, inSeconds['d/half']));
    // A folder of the base stands in a layer when something in it has changed, as other builders write it there.
    writeFileSync(join(context, 'Dockerfile'), 'FROM times:1\nCOPY d/whole /d/new\n');
    expect((await lastLayer({ timestamps: 'exact' })).times.get('d')).toBe(exactly.d);
    expect((await lastLayer({ timestamps: 'keep' })).times.get('d')).toBe(inSeconds.d);
    expect((await lastLayer()).times.get('d')).toBe(inSeconds.d);
  });

  it('are taken from archives', async () => {
    writeContext('FROM scratch\nCOPY d /d/\n');
    const { tar } = await lastLayer({ timestamps: 'exact' });
    writeFileSync(join(context, 'files.tar'), tar);
    writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nADD files.tar /\n');
    expect((await lastLayer({ timestamps: 'exact' })).times.get('d/half')).toBe(exactly['d/half']);
    expect((await lastLayer({ timestamps: 'keep' })).times.get('d/half')).toBe(inSeconds['d/half']);
  });

  it('do not confuse tar-stream', async () => {
    writeContext('FROM scratch\nCOPY d /d/\n');
    const { tar } = await lastLayer({ timestamps: 'exact' });
    const reader = extract();
    const seen: Record<string, number> = {};
    reader.on('entry', (header, stream, next) => {
      seen[header.name] = Math.floor(header.mtime!.getTime() / 1000);
      stream.on('end', next).resume();
    });
    await new Promise<void>((resolve, reject) => reader.on('finish', resolve).on('error', reject).end(tar));
    // It reads no times out of PAX headers; what ustar cannot say is 0.
    expect(seen).toEqual({ 'd/': 1_500_000_000, 'd/half': 1_600_000_000, 'd/old': 0, 'd/whole': 1_600_000_000 });
  });
});

for (const program of ['tar', 'bsdtar']) {
  describeWith([program], `times below a second in ${program}`, () => {
    it('come out as they went in', async () => {
      writeContext('FROM scratch\nCOPY d /d/\n');
      symlinkSync('half', join(context, 'd/link'));
      utimesSync(join(context, 'd'), eighth, eighth);
      const { tar } = await lastLayer({ timestamps: 'exact' });
      const folder = await tempDir();
      mkdirSync(join(folder, 'out'));
      writeFileSync(join(folder, 'layer.tar'), tar);
      await runProgram(program, ['-xpf', join(folder, 'layer.tar'), '-C', join(folder, 'out')]);
      // bsdtar adds the fraction of a time before 1970, where POSIX takes it off.
      const old = program === 'bsdtar' ? [] : ['d/old'];
      for (const path of ['d', 'd/half', 'd/whole', 'd/link', ...old]) {
        const [theirs, ours] = [join(folder, 'out', path), join(context, path)].map(
          file => lstatSync(file, { bigint: true }).mtimeNs,
        );
        expect([path, theirs]).toEqual([path, ours]);
      }
    });
  });
}
