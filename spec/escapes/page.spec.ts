import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { advisories } from './advisories.js';

const spec = join(import.meta.dirname, '..');
const page = join(spec, '../docs/security.md');
const listed = Object.values(advisories).flat();

/** Files of the tests by the identifier that a title begins with. */
const tests = new Map<string, Set<string>>();
for (const file of readdirSync(spec, { recursive: true, encoding: 'utf8' }).sort()) {
  if (!file.endsWith('.ts')) continue;
  for (const [, id] of readFileSync(join(spec, file), 'utf8').matchAll(/['"`](CVE-\d{4}-\d+): /g)) {
    // The cases of a sandbox run for every tier from there.
    const from = file === 'support/escape-cases.ts' ? 'escapes/sandbox.spec.ts' : file;
    tests.set(id!, (tests.get(id!) ?? new Set()).add(from));
  }
}

/** The tables, between these lines of the page. */
const [begin, end] = ['<!-- made from spec/escapes/advisories.ts -->', '<!-- end -->'];

function withTables(text: string): string {
  const tables = Object.entries(advisories).map(([title, rows]) => {
    const lines = rows.map(([id, software, mechanism]) => {
      const files = [...(tests.get(id) ?? [])].map(file => `\`${file.replace(/\.spec\.ts$/, '')}\``);
      return `| ${id} | ${software} | ${mechanism} | ${files.join(', ')} |`;
    });
    return [
      `### ${title}`,
      '',
      '| advisory | of | what happened there | test in `spec` |',
      '|---|---|---|---|',
      ...lines,
      '',
    ].join('\n');
  });
  return `${text.slice(0, text.indexOf(begin) + begin.length)}\n\n${tables.join('\n')}\n${text.slice(text.indexOf(end))}`;
}

it('is what the tables and the tests say; UPDATE_GOLDEN=1 writes it', () => {
  const text = readFileSync(page, 'utf8');
  expect([text.includes(begin), text.includes(end)]).toEqual([true, true]);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(page, withTables(text));
  expect(readFileSync(page, 'utf8')).toBe(withTables(text));
});

it('has each advisory once, and a test for each', () => {
  const ids = listed.map(([id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect([...tests.keys()].sort()).toEqual([...ids].sort());
});
