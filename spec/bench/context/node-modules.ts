import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Context, Making } from './context.js';
import { randomNumbers } from './random.js';

/** Sizes of files in a large `node_modules`: up to which share of the files, from how many bytes to how many. */
const sizes = [
  { share: 0.1, from: 30, to: 300 },
  { share: 0.7, from: 300, to: 3_000 },
  { share: 0.93, from: 3_000, to: 12_000 },
  { share: 0.99, from: 12_000, to: 60_000 },
  { share: 0.9984, from: 60_000, to: 250_000 },
  { share: 1, from: 250_000, to: 3_000_000 },
] as const;

const folders = [
  '',
  '',
  'lib',
  'lib',
  'dist',
  'dist/esm',
  'dist/cjs',
  'src',
  'lib/internal/streams',
  'build/es5/util/deep',
];
const endings = ['.js', '.js', '.js', '.js', '.js', '.d.ts', '.d.ts', '.js.map', '.json', '.md', '.mjs'];
const names = [
  'index',
  'parse',
  'create-options',
  'is-plain-object',
  'utils',
  'normalizeOptions',
  'types',
  '_baseClone',
];

/**
 * An application with `count` files, nearly all of them in `node_modules`: many small and few large ones, packages with
 * scopes, packages inside packages, deep folders, programs, and links in `.bin`. 76,000 files are about 533 MB, and the
 * same at every making.
 */
export async function writeNodeModules(folder: string, count: number, { pool, breathe }: Making): Promise<Context> {
  const random = randomNumbers(count);
  const made = new Set<string>();
  const roots: string[] = [];
  let files = 0;
  let bytes = 0;
  const write = (path: string, content: Buffer, mode = 0o644): void => {
    const parent = dirname(path);
    if (!made.has(parent)) {
      mkdirSync(join(folder, parent), { recursive: true });
      made.add(parent);
    }
    writeFileSync(join(folder, path), content, { mode });
    files += 1;
    bytes += content.length;
  };
  write('app.js', pool.text(2_000, 0));
  write('package.json', pool.text(1_500, 0.5));
  mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true });
  for (let number = 0; files < count; number++) {
    await breathe();
    const scope = random() < 0.25 ? `@scope-${number % 40}/` : '';
    const inside = random() < 0.15 ? (roots[Math.floor(random() * roots.length)] ?? '') : '';
    const root = join(inside, `node_modules/${scope}package-${number.toString(36)}`);
    roots.push(root);
    const size = Math.min(count - files, Math.round(4 * 100 ** random()));
    for (let i = 0; i < size; i++) {
      const length = fileSize(random());
      const kind = random();
      if (i === 0) write(`${root}/package.json`, pool.text(length, random()));
      else if (i === 1 && kind > 0.8) {
        write(`${root}/bin/cli.js`, pool.text(length, random()), 0o755);
        const target = join('..', root.slice('node_modules/'.length), 'bin/cli.js');
        symlinkSync(target, join(folder, `node_modules/.bin/cli-${number}`));
      } else if (kind < 0.01) write(`${root}/build/Release/part-${i}.node`, pool.binary(length, random()));
      else if (kind < 0.02) write(`${root}/docs/images/picture-${i}.png`, pool.packed(length, random()));
      else write(`${root}/${fileName(i, random)}`, pool.text(length, random()));
    }
  }
  return { folder, files, bytes };
}

function fileName(i: number, random: () => number): string {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  return join(pick(folders), `${pick(names)}-${i.toString(36)}${pick(endings)}`);
}

/** The size of the file at `at`, from 0 up to 1, when all are put in order: logarithms of sizes are even in each row. */
function fileSize(at: number): number {
  const row = sizes.findIndex(({ share }) => at < share);
  const { share, from, to } = sizes[row]!;
  const below = row === 0 ? 0 : sizes[row - 1]!.share;
  return Math.round(from * (to / from) ** ((at - below) / (share - below)));
}
