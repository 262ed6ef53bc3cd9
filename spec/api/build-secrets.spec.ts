import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { buildSecrets } from '../../src/api/build-secrets.js';
import { isLadingError } from '../../src/errors/errors.js';
import { tempDir } from '../support/temp-dir.js';

let directory: string;
beforeEach(async () => {
  directory = await tempDir();
});

describe('buildSecrets', () => {
  it('knows files and values, byte for byte', async () => {
    const bytes = Buffer.from([0, 255, 10]);
    writeFileSync(join(directory, 'file'), bytes);
    const absolute = { file: join(directory, 'file') };
    const given = { a: { file: 'file' }, b: { value: 'text\n' }, c: { value: bytes }, d: { value: '' }, e: absolute };
    const secrets = await buildSecrets(given, { directory });
    const read = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f', 'toString'].map(id => secrets.read(id)));
    expect(read).toEqual([bytes, Buffer.from('text\n'), bytes, Buffer.alloc(0), bytes, undefined, undefined]);
  });

  it('takes 500 KiB and no more', async () => {
    writeFileSync(join(directory, 'most'), Buffer.alloc(500 * 1024));
    writeFileSync(join(directory, 'more'), Buffer.alloc(500 * 1024 + 1));
    const secrets = await buildSecrets({ a: { file: 'most' } }, { directory });
    expect((await secrets.read('a'))?.length).toBe(500 * 1024);
    for (const secret of [{ file: 'more' }, { value: 'x'.repeat(500 * 1024 + 1) }, { file: '/dev/zero' }]) {
      const error = await buildSecrets({ a: secret }, { directory }).catch(caught => caught);
      expect(isLadingError(error, 'SIZE_EXCEEDED'), String(error)).toBe(true);
    }
  });

  it.each(['missing', 'folder'])('fails for a file that cannot be read (%s)', async file => {
    mkdirSync(join(directory, 'folder'));
    const error = await buildSecrets({ npm: { file } }, { directory }).catch(caught => caught);
    expect(isLadingError(error, 'IO')).toBe(true);
    expect(error.message).toContain('npm');
    expect(error.details.path).toBe(join(directory, file));
  });

  it('ends when it is told to', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    const work = buildSecrets({ a: { file: '/dev/zero' } }, { directory, signal });
    await expect(work).rejects.toThrow('enough');
  });
});
