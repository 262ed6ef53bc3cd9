import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/**
 * Which folder may import which, and which packages and parts of Node have a home where. A row names only rows above it,
 * so there are no cycles between folders.
 */
const rows: Readonly<Record<string, { folders: readonly string[]; packages?: readonly string[] }>> = {
  'src/errors': { folders: [] },
  'src/oci': { folders: ['src/errors'], packages: ['zod'] },
  'src/stream': { folders: ['src/errors', 'src/oci'], packages: ['xz-decompress'] },
  'src/dockerfile': { folders: ['src/errors'] },
  'src/plan': { folders: ['src/errors', 'src/oci', 'src/dockerfile'] },
  'src/tree': { folders: ['src/errors', 'src/oci', 'src/stream'] },
  'src/layer': { folders: ['src/errors', 'src/oci', 'src/stream', 'src/tree'], packages: ['tar-stream'] },
  'src/content': { folders: ['src/errors', 'src/oci', 'src/stream'] },
  'src/image': { folders: ['src/errors', 'src/oci', 'src/stream', 'src/tree', 'src/layer', 'src/content'] },
  'src/cache': {
    folders: ['src/errors', 'src/oci', 'src/stream', 'src/tree', 'src/layer', 'src/content'],
    packages: ['zod'],
  },
  'src/sandbox': { folders: ['src/errors', 'src/oci', 'src/tree', 'src/layer'] },
  'src/snapshot': {
    folders: ['src/errors', 'src/oci', 'src/stream', 'src/tree', 'src/layer', 'src/sandbox'],
  },
  'src/build': {
    folders: [
      ...['src/errors', 'src/oci', 'src/stream', 'src/dockerfile', 'src/plan', 'src/tree', 'src/layer'],
      ...['src/content', 'src/image', 'src/cache', 'src/sandbox', 'src/snapshot'],
    ],
  },
  'src/store': {
    folders: ['src/errors', 'src/oci', 'src/stream', 'src/tree', 'src/layer', 'src/content'],
    packages: ['zod'],
  },
  'src/container': {
    folders: [
      ...['src/errors', 'src/oci', 'src/stream', 'src/dockerfile', 'src/plan', 'src/tree', 'src/layer'],
      ...['src/content', 'src/image', 'src/sandbox', 'src/snapshot', 'src/build', 'src/store'],
    ],
    packages: ['zod'],
  },
  'src/transport': {
    folders: ['src/errors', 'src/oci', 'src/stream', 'src/tree', 'src/layer', 'src/content', 'src/store'],
    packages: ['smol-toml', 'tar-stream', 'undici', 'zod'],
  },
  'src/api': {
    folders: [
      ...['src/errors', 'src/oci', 'src/stream', 'src/dockerfile', 'src/plan', 'src/tree', 'src/layer', 'src/content'],
      ...[
        'src/image',
        'src/cache',
        'src/sandbox',
        'src/snapshot',
        'src/build',
        'src/store',
        'src/container',
        'src/transport',
      ],
    ],
  },
  'src/index.ts': {
    folders: [
      ...['src/errors', 'src/oci', 'src/stream', 'src/dockerfile', 'src/plan', 'src/tree', 'src/layer', 'src/content'],
      ...[
        'src/image',
        'src/cache',
        'src/sandbox',
        'src/snapshot',
        'src/build',
        'src/store',
        'src/container',
        'src/transport',
        'src/api',
      ],
    ],
  },
  // For the tests of others as much as for ours: it must know nothing of the client that it tries.
  'src/testing': { folders: [] },
  cli: { folders: ['src/index.ts'], packages: ['yargs'] },
};

/** The one folder, or the one part of a folder, that may load a package. */
const homes: Readonly<Record<string, string>> = {
  'smol-toml': 'src/transport/registry/settings/',
  undici: 'src/transport/http/',
  'xz-decompress': 'src/stream/xz.ts',
  yargs: 'cli/',
};

const top = join(dirname(fileURLToPath(import.meta.url)), '..');

interface Import {
  readonly file: string;
  readonly from: string;
}

function sources(folder: string): string[] {
  return readdirSync(join(top, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .map(name => join(folder, name));
}

function importsOf(file: string, text: string): Import[] {
  const pattern = /(?:^|\n)\s*(?:import|export)\b[^;'"]*?from\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;
  return [...text.matchAll(pattern)].map(match => ({ file, from: match[1] ?? match[2]! }));
}

function rowOf(path: string): string | undefined {
  return Object.keys(rows).find(row => path === row || path.startsWith(`${row}/`));
}

/** What is wrong with an import, or nothing. */
function problem({ file, from }: Import): string | undefined {
  const row = rowOf(file);
  if (row === undefined) return `${file} is in no row of the table`;
  const { folders, packages = [] } = rows[row]!;
  if (from.startsWith('node:')) return undefined;
  // The version, which the bundler puts in its place.
  if (file === 'cli/version.ts' && from === '../package.json') return undefined;
  // Compiled code: it has one home.
  if (file === 'src/layer/codec.ts' && from === '../../wasm/codec.js?wasm') return undefined;
  if (from.startsWith('.')) {
    const target = rowOf(relative(top, resolve(top, dirname(file), from)).replace(/\.js$/, '.ts'));
    if (target === undefined) return `${file} imports ${from}, outside the table`;
    return target === row || folders.includes(target) ? undefined : `${file} imports ${target}`;
  }
  const name = from.startsWith('@') ? from.split('/').slice(0, 2).join('/') : from.split('/')[0]!;
  if (!packages.includes(name)) return `${file} imports the package ${name}`;
  const home = homes[name];
  return home === undefined || file.startsWith(home) ? undefined : `${file} imports ${name}, which lives in ${home}`;
}

describe('architecture', () => {
  const files = [...sources('src'), ...sources('cli')];

  it('keeps to the import table', () => {
    const problems = files.flatMap(file => importsOf(file, readFileSync(join(top, file), 'utf8')).map(problem));
    expect(problems.filter(Boolean)).toEqual([]);
  });

  it('names only rows above', () => {
    const names = Object.keys(rows);
    for (const [place, name] of names.entries()) {
      for (const folder of rows[name]!.folders)
        expect(names.indexOf(folder), `${name} -> ${folder}`).toBeLessThan(place);
    }
  });

  it('would notice what it forbids', () => {
    const wrong: Import[] = [
      { file: 'src/oci/digest.ts', from: '../store/store.js' },
      { file: 'src/build/build.ts', from: '../transport/open.js' },
      { file: 'cli/main.ts', from: '../src/store/store.js' },
      { file: 'src/store/store.ts', from: 'undici' },
      { file: 'src/transport/open.ts', from: 'undici' },
      { file: 'src/plan/graph.ts', from: 'left-pad' },
    ];
    for (const entry of wrong) expect(problem(entry), JSON.stringify(entry)).toBeDefined();
    expect(importsOf('a.ts', "import type { A } from './a.js';\nconst b = await import('./b.js');")).toHaveLength(2);
  });

  it('keeps process and console in the command line', () => {
    const guilty = files.filter(file => {
      if (file.startsWith('cli/')) return false;
      return /(?<![.\w'"/-])(?:process|console)\.\w/.test(withoutComments(readFileSync(join(top, file), 'utf8')));
    });
    expect(guilty).toEqual([]);
  });

  it('has no folder for odds and ends', () => {
    const forbidden = /(?:^|\/)(?:utils?|helpers?|common|misc|shared|types)(?:\/|\.ts$)/;
    expect(files.filter(file => forbidden.test(file))).toEqual([]);
  });

  it('keeps files to one concept', () => {
    const long = [...files, ...sources('wasm')].filter(
      file => readFileSync(join(top, file), 'utf8').split('\n').length > 320,
    );
    expect(long).toEqual([]);
  });
});

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
}
