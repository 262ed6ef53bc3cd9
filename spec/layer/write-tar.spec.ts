import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeTar } from '../../src/layer/write-tar.js';
import { digestOf } from '../../src/oci/digest.js';
import { readCapped } from '../../src/stream/read-capped.js';
import { fileEntry, folderEntry, hostEntry, noLayers, openFiles, packed, tempDir } from './layer-files.js';

describe('writeTar', () => {
  it('gives the bytes that a layer has uncompressed', async () => {
    const entries = [folderEntry('d'), fileEntry('d/f', 'x'), fileEntry('large', Buffer.alloc(3_000_000, 'y'))];
    const bytes = await readCapped(writeTar(entries, { read: noLayers }), 2 ** 30, 'tar');
    expect(digestOf(bytes)).toBe((await packed(entries)).diffId);
  });

  it('fails with the error, and closes what is open when it is left', async () => {
    const path = join(tempDir(), 'f');
    writeFileSync(path, Buffer.alloc(5_000_000));
    const entry = hostEntry('f', path);
    for await (const chunk of writeTar([entry], { read: noLayers })) {
      expect((chunk as Buffer).length).toBeGreaterThan(0);
      break;
    }
    await new Promise(resolve => setTimeout(resolve, 10));
    expect(openFiles()).not.toContain(path);
    writeFileSync(path, 'changed');
    await expect(readCapped(writeTar([entry], { read: noLayers }), 2 ** 30, 'tar')).rejects.toMatchObject({
      code: 'FILE_CHANGED',
    });
    const aborted = writeTar([entry], { read: noLayers, signal: AbortSignal.abort() });
    await expect(readCapped(aborted, 2 ** 30, 'tar')).rejects.toMatchObject({ name: 'AbortError' });
  });
});
