import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { BuildImageEvent, BuildImageOptions } from '../../src/api/build-image.js';
import type { SegmentCounts } from '../../src/layer/layer-store.js';
import { built } from '../support/building.js';
import { tempDir } from '../support/temp-dir.js';

let root: string;
let context: string;
beforeEach(async () => {
  root = join(await tempDir(), 'store');
  context = await tempDir();
});

const at = (path: string): string => join(context, path);

/** Some MiB in folders within folders, so that a layer of them has several segments, and what an image can hold besides. */
function writeProject(): void {
  for (let i = 0; i < 360; i++) {
    const folder = `p${i % 12}/${i % 3 === 0 ? 'lib/' : ''}${i % 24 === 1 ? `${'long '.repeat(30)}/` : ''}`;
    mkdirSync(at(folder), { recursive: true });
    writeFileSync(at(`${folder}f${i}`), `${i}: some text\n`.repeat((i * 53) % 1700));
  }
  writeFileSync(at('p3/größer'), 'g'.repeat(1000));
  writeFileSync(at('p5/large'), Buffer.alloc(2_500_000, 'large file '));
  symlinkSync('f4', at('p4/link'));
  writeFileSync(at('p6/one name'), 'two names\n'.repeat(500));
  linkSync(at('p6/one name'), at('p9/another name'));
}

function dockerfile(flags = '', destination = '/app/'): void {
  writeFileSync(at('Dockerfile'), `FROM scratch\nCOPY ${flags} . ${destination}\n`);
}

/** So long that `stat` can have missed no change. */
const settle = (): Promise<void> => sleep(150);

async function build(store: string, options: Partial<BuildImageOptions> = {}) {
  const segments: SegmentCounts[] = [];
  const onEvent = (event: BuildImageEvent): void => {
    if (event.kind === 'step-done' && event.segments !== undefined) segments.push(event.segments);
  };
  const { descriptor } = await built(store, context, { onEvent, ...options });
  return { digest: descriptor.digest, segments };
}

const rebuilt = (options?: Partial<BuildImageOptions>) => build(root, options);
const fresh = async (options?: Partial<BuildImageOptions>) => build(join(await tempDir(), 'store'), options);

/** All that is in the context, without the Dockerfile. */
function paths(): string[] {
  const found = readdirSync(context, { recursive: true, encoding: 'utf8' });
  return found.filter(path => path !== 'Dockerfile').sort();
}

type Edit = (pick: (count: number) => number) => void;

const pickPath = (pick: (count: number) => number, wanted: (path: string) => boolean): string | undefined => {
  const found = paths().filter(path => existsSync(at(path)) && wanted(path));
  return found.length === 0 ? undefined : found[pick(found.length)];
};
const isFile = (path: string): boolean => lstatSync(at(path)).isFile();
const isFolder = (path: string): boolean => lstatSync(at(path)).isDirectory();

const edits: Readonly<Record<string, Edit>> = {
  write: pick => {
    const path = pickPath(pick, isFile);
    if (path !== undefined) writeFileSync(at(path), 'x'.repeat(pick(30_000)));
  },
  'write behind the back of the clock': pick => {
    const path = pickPath(pick, each => isFile(each) && statSync(at(each)).size > 0);
    if (path === undefined) return;
    const { atime, mtime } = statSync(at(path));
    const bytes = readFileSync(at(path));
    writeFileSync(at(path), bytes.with(0, bytes[0]! ^ 1));
    utimesSync(at(path), atime, mtime);
  },
  grow: pick => {
    const path = pickPath(pick, isFile);
    if (path !== undefined) writeFileSync(at(path), 'large'.repeat(300_000 + pick(300_000)));
  },
  add: pick => {
    const folder = pickPath(pick, isFolder);
    const name = ['a new one', '0', 'zzz', 'ü', 'n'.repeat(120)][pick(5)]!;
    if (folder !== undefined && !existsSync(at(join(folder, name))))
      writeFileSync(at(join(folder, name)), name.repeat(pick(900)));
  },
  remove: pick => {
    const path = pickPath(pick, () => true);
    if (path !== undefined) rmSync(at(path), { recursive: true });
  },
  rename: pick => {
    const path = pickPath(pick, () => true);
    if (path !== undefined) renameSync(at(path), at(join(dirname(path), `m${pick(9)} ${pick(1000)}`)));
  },
  swap: pick => {
    const [one, other] = [pickPath(pick, isFile), pickPath(pick, isFile)];
    if (one === undefined || other === undefined || one === other) return;
    renameSync(at(one), at('p0 swapping'));
    renameSync(at(other), at(one));
    renameSync(at('p0 swapping'), at(other));
  },
  mode: pick => {
    const path = pickPath(pick, each => isFile(each) || isFolder(each));
    if (path !== undefined) chmodSync(at(path), [0o755, 0o700, 0o750][pick(3)]!);
  },
  times: pick => {
    const path = pickPath(pick, each => isFile(each) || isFolder(each));
    if (path !== undefined) utimesSync(at(path), 1e9 + pick(1000), 1e9 + pick(1000));
  },
  link: pick => {
    const path = pickPath(pick, isFile);
    const name = `l${pick(1000)}`;
    if (path !== undefined && !existsSync(at(join(dirname(path), name))))
      linkSync(at(path), at(join(dirname(path), name)));
  },
  symlink: pick => {
    const folder = pickPath(pick, isFolder);
    if (folder === undefined) return;
    rmSync(at(join(folder, 'symlink')), { force: true, recursive: true });
    symlinkSync(`target${pick(9)}`, at(join(folder, 'symlink')));
  },
  'file to folder': pick => {
    const path = pickPath(pick, isFile);
    if (path === undefined) return;
    rmSync(at(path));
    mkdirSync(at(path));
    writeFileSync(at(join(path, 'inside')), 'inside');
  },
};

describe('segments that are known by what stat says of their files', () => {
  it('are taken over', async () => {
    dockerfile();
    writeProject();
    await settle();
    await rebuilt();
    writeFileSync(at('p7/f7'), 'changed');
    const { digest, segments } = await rebuilt();
    expect(digest).toBe((await fresh()).digest);
    expect(segments).toHaveLength(1);
    expect(segments[0]!.made).toBe(1);
    expect(segments[0]!.taken).toBeGreaterThan(3);
  });

  it('give the bytes of a fresh build, whatever has changed', async () => {
    const edit = fc.tuple(fc.constantFrom(...Object.keys(edits)), fc.array(fc.nat(), { minLength: 6, maxLength: 6 }));
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), fc.boolean(), async (changes, wait) => {
        if (paths().length < 200) {
          rmSync(context, { recursive: true });
          mkdirSync(context);
          writeProject();
          dockerfile();
          await settle();
          await rebuilt();
        }
        for (const [name, numbers] of changes) {
          let next = 0;
          edits[name]!(count => numbers[next++ % numbers.length]! % count);
        }
        if (wait) await settle();
        expect((await rebuilt()).digest).toBe((await fresh()).digest);
      }),
      { numRuns: 30, endOnFailure: true },
    );
  });

  it('are others for another step on the same files', async () => {
    writeProject();
    const steps: Array<[flags?: string, destination?: string]> = [
      [],
      ['--chown=7:8'],
      ['--chmod=640'],
      ['', '/elsewhere/'],
      ['--exclude=p4'],
      ['--link'],
      [],
    ];
    await settle();
    for (const [flags, destination] of steps) {
      dockerfile(flags, destination);
      await settle();
      expect((await rebuilt()).digest).toBe((await fresh()).digest);
    }
    dockerfile();
    for (const options of [
      { epoch: 1_000_000_000 },
      { epoch: 2_000_000_000 },
      { timestamps: 'keep' },
      { timestamps: 'exact' },
      { level: 1 },
    ] as Partial<BuildImageOptions>[]) {
      writeFileSync(at('p1/f13'), JSON.stringify(options));
      await settle();
      expect((await rebuilt(options)).digest).toBe((await fresh(options)).digest);
    }
  });
});
