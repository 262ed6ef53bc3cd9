import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context, Making } from './context.js';
import { randomNumbers } from './random.js';

const users = 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n';
const groups = 'root:x:0:\nnogroup:x:65534:\n';
const places = [
  { folder: 'usr/bin', share: 0.08, mean: 90_000, mode: 0o755 },
  { folder: 'usr/lib/x86_64-linux-gnu', share: 0.1, mean: 110_000, mode: 0o644 },
  { folder: 'usr/lib/x86_64-linux-gnu/perl-base', share: 0.12, mean: 16_000, mode: 0o644 },
  { folder: 'usr/share/zoneinfo/Area', share: 0.3, mean: 1_200, mode: 0o644 },
  { folder: 'var/lib/dpkg/info', share: 0.4, mean: 2_500, mode: 0o644 },
] as const;

/**
 * A root file system about as a small Debian is: 3,500 files are some 75 MB. The bench makes its base image of it, for a
 * real one would have to come over the network and be another one every month.
 */
export async function writeBaseSystem(folder: string, count: number, { pool, breathe }: Making): Promise<Context> {
  const random = randomNumbers(count);
  let bytes = 0;
  const write = (path: string, content: Buffer | string, mode = 0o644): void => {
    writeFileSync(join(folder, path), content, { mode });
    bytes += content.length;
  };
  for (const { folder: place } of places) mkdirSync(join(folder, place), { recursive: true });
  for (const place of ['etc', 'root', 'tmp']) mkdirSync(join(folder, place));
  symlinkSync('usr/bin', join(folder, 'bin'));
  symlinkSync('usr/lib', join(folder, 'lib'));
  write('etc/passwd', users);
  write('etc/group', groups);
  write('etc/os-release', 'ID=debian\nVERSION_ID=12\n');
  let files = 3;
  for (const { folder: place, share, mean, mode } of places) {
    await breathe();
    for (let i = 0; i < share * (count - 3); i++) {
      const length = Math.round(mean * (0.2 + 1.6 * random()));
      const content = place.startsWith('usr/share') || place.startsWith('var') ? pool.text : pool.binary;
      write(`${place}/part-${i}`, content(length, random()), mode);
      files += 1;
    }
  }
  return { folder, files, bytes };
}
