import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context, Making } from './context.js';

/** `count` files of `size` bytes each, a thousand in each folder; with a size of 0 only names are left to be dealt with. */
export async function writeEqualFiles(
  folder: string,
  count: number,
  size: number,
  { pool, breathe }: Making,
): Promise<Context> {
  for (let i = 0; i < count; i++) {
    const parent = join(folder, `d${Math.floor(i / 100_000)}`, `d${Math.floor(i / 1000)}`);
    if (i % 1000 === 0) {
      await breathe();
      mkdirSync(parent, { recursive: true });
    }
    writeFileSync(join(parent, `file-${i}.txt`), pool.text(size, (i % 9973) / 9973));
  }
  return { folder, files: count, bytes: count * size };
}
