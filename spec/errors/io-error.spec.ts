import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isLadingError, LadingError } from '../../src/errors/errors.js';
import { ioError } from '../../src/errors/io-error.js';

it('says of errors of the system which path it is, and what to do', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lading-io-error-'));
  try {
    for (const [path, errno] of [
      [folder, 'EISDIR'],
      [join(folder, 'none'), 'ENOENT'],
    ] as const) {
      let failure: unknown;
      try {
        readFileSync(path);
      } catch (error) {
        failure = ioError(error, path);
      }
      expect(isLadingError(failure, 'IO') && failure.details).toEqual({ path, errno });
      expect((failure as LadingError).hint).toMatch(/\.$/);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('leaves all others as they are', () => {
  const ours = new LadingError('USAGE', 'x', { details: {} });
  for (const error of [ours, new Error('x'), 'text', undefined]) expect(ioError(error)).toBe(error);
});
