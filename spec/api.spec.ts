import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const top = join(dirname(fileURLToPath(import.meta.url)), '..');
const list = join(top, 'testdata/api.txt');

/** Every name that `src/index.ts` exports, types among them, a line each. */
function exportedNames(): string[] {
  const text = readFileSync(join(top, 'src/index.ts'), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
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

it('exports what testdata/api.txt lists, and nothing by the dozen', () => {
  const names = exportedNames();
  if (process.env['UPDATE_GOLDEN'] === '1' || !existsSync(list)) writeFileSync(list, `${names.join('\n')}\n`);
  expect(names).toEqual(readFileSync(list, 'utf8').trim().split('\n'));
  expect(readFileSync(join(top, 'src/index.ts'), 'utf8')).not.toMatch(/export \*/);
});

it('exports values under those names', async () => {
  const values = exportedNames().filter(name => !name.startsWith('type '));
  expect(Object.keys(await import('../src/index.js')).sort()).toEqual(values);
});
