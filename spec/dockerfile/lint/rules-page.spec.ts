import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { rulesPage } from '../../../src/dockerfile/lint/rules-page.js';

const page = new URL('../../../docs/lint.md', import.meta.url);

describe('rulesPage', () => {
  it('is what docs/lint.md holds; UPDATE_GOLDEN=1 writes it', () => {
    if (process.env['UPDATE_GOLDEN']) writeFileSync(page, rulesPage());
    expect(rulesPage()).toBe(readFileSync(page, 'utf8'));
  });
});
