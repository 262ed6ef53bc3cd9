import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Context, Making } from './context.js';
import { randomNumbers } from './random.js';

/** Small, so that a file of 1 MB is made of the same mixture as one of 10 GB. */
const piece = 250_000;

/** One file of `bytes`, three quarters of it like source code and one like an archive. */
export async function writeLargeFile(folder: string, bytes: number, { pool, breathe }: Making): Promise<Context> {
  mkdirSync(folder, { recursive: true });
  const random = randomNumbers(bytes % 2 ** 32);
  const file = openSync(join(folder, 'large.bin'), 'w');
  try {
    for (let at = 0, number = 0; at < bytes; at += piece, number++) {
      await breathe();
      const length = Math.min(piece, bytes - at);
      writeSync(file, number % 4 === 3 ? pool.packed(length, random()) : pool.text(length, random()));
    }
  } finally {
    closeSync(file);
  }
  return { folder, files: 1, bytes };
}
