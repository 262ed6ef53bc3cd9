import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { corpusCases } from '../support/corpus.js';
import { isThere } from './is-there.js';
import { language } from './language.js';
import { compatibilityPage } from './page.js';
import { wordsOfCase } from './words-of-case.js';

const page = join(import.meta.dirname, '../../docs/compatibility.md');
const parts = Object.values(language).flat();

describe('docs/compatibility.md', () => {
  it('is what the tables say; UPDATE_GOLDEN=1 writes it', () => {
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(page, compatibilityPage());
    expect(compatibilityPage()).toBe(readFileSync(page, 'utf8'));
  });

  it.each(parts.flatMap(part => part.tests.map(test => [test, part.what])))('names %s, which is there', test => {
    expect(isThere(test)).toBe(true);
  });

  it('names no tests that are not', () => {
    for (const test of ['plan/nowhere.spec.ts', 'dockerfiles/nowhere*', 'plan/graph.spec.ts: no such title']) {
      expect(isThere(test), test).toBe(false);
    }
  });

  const cases = corpusCases().map(wordsOfCase);

  it.each(parts.flatMap(part => part.cases.map(word => [word, part.what])))('finds recorded builds for %s', word => {
    expect(cases.some(words => words.has(word))).toBe(true);
  });

  it('leaves no recorded build out', () => {
    const words = new Set(parts.flatMap(part => part.cases));
    const left = corpusCases().filter(one => ![...wordsOfCase(one)].some(word => words.has(word)));
    expect(left.map(({ name }) => name)).toEqual([]);
  });
});
