import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Workbench } from '../workbench.js';

/** The command as it is installed; `npm run bench` builds it first. */
const bin = join(process.cwd(), 'dist/cli/bin.js');

export function lading(...args: readonly string[]): string[] {
  if (!existsSync(bin)) throw new Error(`${bin} is missing`);
  return [process.execPath, bin, ...args];
}

/** Reads every byte of an image and checks all that it must fulfil; a fault is an error. */
export async function verify(bench: Workbench, root: string, image: string): Promise<void> {
  await bench.run(lading('inspect', '--verify', '--insecure', '--root', root, image));
}

export interface Manifest {
  readonly layers: ReadonlyArray<{ readonly digest: string; readonly size: number }>;
}

/** The manifest of an image in a store, read as any other program reads it from an OCI layout. */
export async function manifestOf(bench: Workbench, root: string, image: string): Promise<Manifest> {
  const { stdout } = await bench.run(lading('inspect', '--json', '--root', root, image));
  const { digest } = JSON.parse(stdout).manifestDescriptor;
  return JSON.parse(await readFile(join(root, 'blobs', digest.replace(':', '/')), 'utf8'));
}
