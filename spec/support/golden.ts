import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

const testdata = fileURLToPath(new URL('../../testdata/', import.meta.url));

/** Compares a text with the file of `testdata` that holds it; `UPDATE_GOLDEN=1` writes the file again. */
export function expectGolden(name: string, actual: string): void {
  const path = join(testdata, name);
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, actual);
  }
  expect(existsSync(path), `${name} is missing: run with UPDATE_GOLDEN=1`).toBe(true);
  expect(actual).toBe(readFileSync(path, 'utf8'));
}
