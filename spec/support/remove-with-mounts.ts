import { readFile, rm } from 'node:fs/promises';
import { runProgram } from './run-program.js';

/** Containers and network namespaces leave mounts behind; those below the folder are taken off, deepest first. */
export async function removeWithMounts(folder: string): Promise<void> {
  const table = await readFile('/proc/self/mountinfo', 'utf8');
  const points = table
    .split('\n')
    .map(line => (line.split(' ')[4] ?? '').replace(/\\(\d{3})/g, (_, code) => String.fromCharCode(parseInt(code, 8))))
    .filter(point => point.startsWith(`${folder}/`));
  for (const point of points.reverse()) await runProgram('umount', ['-l', point], { mayFail: true });
  // Far quicker for a million files than doing it from here; what is still busy is tried again.
  await runProgram('rm', ['-rf', folder], { mayFail: true, timeout: 1800 });
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
