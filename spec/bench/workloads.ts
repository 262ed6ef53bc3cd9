import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Text that compresses about as source code does, the same for the same seed. */
function text(seed: number, length: number): string {
  const words = 'const return function import export value index length name type string number error'.split(' ');
  let state = seed;
  let out = '';
  while (out.length < length) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    out += `${words[state % words.length]}${state % 1000}${state % 7 === 0 ? '\n' : ' '}`;
  }
  return out.slice(0, length);
}

/** `count` small files in folders of a hundred, like a `node_modules`. */
export function manyFiles(folder: string, count: number, dockerfile: string): void {
  for (let i = 0; i < count; i++) {
    const directory = join(folder, 'src', `d${Math.floor(i / 100)}`);
    if (i % 100 === 0) mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, `file-${i}.js`), text(i, 500 + ((i * 7919) % 12_000)));
  }
  writeFileSync(join(folder, 'Dockerfile'), dockerfile);
}

/** One file of `bytes`, of which the first part of each MiB is text and the rest zeros. */
export function largeFile(folder: string, bytes: number, dockerfile: string): void {
  mkdirSync(folder, { recursive: true });
  const file = openSync(join(folder, 'large.bin'), 'w');
  ftruncateSync(file, bytes);
  const mebibyte = 1 << 20;
  for (let i = 0; i < bytes / mebibyte; i++) writeSync(file, text(i, 200_000), i * mebibyte);
  closeSync(file);
  writeFileSync(join(folder, 'Dockerfile'), dockerfile);
}
