import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatFinding } from '../../../src/dockerfile/lint/finding.js';
import { parseConfig } from '../../../src/oci/config.js';
import { lintAll } from '../support.js';

const root = new URL('../../../testdata/lint/', import.meta.url);

/**
 * Each folder is a Dockerfile, the options and base image it is planned with, and what is said of it: warnings as Docker
 * prints them, then what it is refused for.
 */
describe('lint', () => {
  for (const name of readdirSync(root)) {
    it(name, () => {
      const folder = new URL(`${name}/`, root);
      const result = lint(folder);
      const golden = new URL('warnings.txt', folder);
      if (process.env['UPDATE_GOLDEN']) writeFileSync(golden, result);
      expect(result).toBe(readFileSync(golden, 'utf8'));
    });
  }
});

function lint(folder: URL): string {
  const read = (name: string): string | undefined => {
    const file = new URL(name, folder);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  };
  const config = read('base-config.json');
  const { warnings, failure, error } = lintAll(
    read('Dockerfile')!,
    JSON.parse(read('options.json') ?? '{}'),
    config === undefined ? undefined : parseConfig(Buffer.from(config)),
  );
  const refusals = [error, failure].flatMap(refused => (refused === undefined ? [] : [refused.code]));
  return [...warnings.map(formatFinding), ...refusals].map(line => `${line}\n`).join('');
}
