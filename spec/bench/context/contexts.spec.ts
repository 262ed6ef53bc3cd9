import { createHash } from 'node:crypto';
import { type Dirent, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { tempDir } from '../../support/temp-dir.js';
import { writeBaseSystem } from './base-system.js';
import { type Making, making } from './context.js';
import { writeEqualFiles } from './equal-files.js';
import { writeLargeFile } from './large-file.js';
import { writeNodeModules } from './node-modules.js';

/** A line for every entry: its path, and a digest of its mode and content. */
function outline(folder: string): string[] {
  const content = (entry: Dirent, path: string): string | Buffer => {
    if (entry.isSymbolicLink()) return readlinkSync(path);
    return entry.isFile() ? Buffer.concat([Buffer.from([statSync(path).mode >> 6]), readFileSync(path)]) : '';
  };
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map(entry => {
      const path = join(entry.parentPath, entry.name);
      return `${relative(folder, path)} ${createHash('sha256').update(content(entry, path)).digest('hex')}`;
    })
    .sort();
}

let make: Making;
beforeAll(() => {
  make = making(new AbortController().signal);
});

describe('the contexts of the bench', () => {
  it('are the same at every making, and hold what they say', async () => {
    const makers = [
      (folder: string) => writeNodeModules(folder, 600, make),
      (folder: string) => writeLargeFile(folder, 1_234_567, make),
      (folder: string) => writeEqualFiles(folder, 1_500, 10, make),
      (folder: string) => writeBaseSystem(folder, 200, make),
    ];
    for (const write of makers) {
      const folders = [join(await tempDir(), 'context'), join(await tempDir(), 'context')];
      for (const folder of folders) await mkdir(folder);
      const [first, second] = [await write(folders[0]!), await write(folders[1]!)];
      expect(outline(folders[0]!)).toEqual(outline(folders[1]!));
      expect({ ...first, folder: '' }).toEqual({ ...second, folder: '' });
      const files = readdirSync(first.folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile());
      expect(files.length).toBe(first.files);
      const bytes = files.reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0);
      expect(bytes).toBe(first.bytes);
    }
  });

  it('compress as real ones do', () => {
    const { text, binary, packed } = make.pool;
    const share = (content: Buffer): number => gzipSync(content).length / content.length;
    expect(share(text(1 << 20, 0.3))).toBeGreaterThan(0.18);
    expect(share(text(1 << 20, 0.3))).toBeLessThan(0.33);
    expect(share(binary(1 << 20, 0.3))).toBeLessThan(0.5);
    expect(share(packed(1 << 20, 0.3))).toBeGreaterThan(0.99);
    expect(text(40 << 20, 0.9)).toHaveLength(40 << 20);
  });

  it('let an interrupt through', async () => {
    const interrupt = new AbortController();
    const interrupted = making(interrupt.signal, make.pool);
    interrupt.abort();
    await expect(writeNodeModules(join(await tempDir(), 'context'), 600, interrupted)).rejects.toThrow(/abort/i);
  });
});
