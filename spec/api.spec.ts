import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const top = join(dirname(fileURLToPath(import.meta.url)), '..');
/** What is public: each has its list of names. */
const entries = [
  ['src/index.ts', 'testdata/api.txt'],
  ['src/testing/index.ts', 'testdata/api-testing.txt'],
] as const;

/** Every name that a file exports, types among them, a line each. */
function exportedNames(file: string): string[] {
  const text = readFileSync(join(top, file), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  const names: string[] = [];
  for (const [, all, inner] of text.matchAll(/export (type )?\{([^}]*)\}/g)) {
    for (const piece of inner!
      .split(',')
      .map(part => part.trim())
      .filter(Boolean)) {
      const isType = all !== undefined || piece.startsWith('type ');
      names.push(`${isType ? 'type ' : ''}${piece.replace(/^type /, '').replace(/^.* as /, '')}`);
    }
  }
  return names.sort();
}

it.each(entries)('%s exports what %s lists, and nothing by the dozen', (file, listed) => {
  const list = join(top, listed);
  const names = exportedNames(file);
  if (process.env['UPDATE_GOLDEN'] === '1' || !existsSync(list)) writeFileSync(list, `${names.join('\n')}\n`);
  expect(names).toEqual(readFileSync(list, 'utf8').trim().split('\n'));
  expect(readFileSync(join(top, file), 'utf8')).not.toMatch(/export \*/);
});

it.each(entries)(
  '%s exports values under those names',
  async file => {
    const values = exportedNames(file).filter(name => !name.startsWith('type '));
    expect(Object.keys(await import(join(top, file))).sort()).toEqual(values);
  },
  60_000,
);
