import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const made: string[] = [];

afterAll(async () => {
  for (const path of made.splice(0)) await rm(path, { recursive: true, force: true });
});

/** A new empty folder that goes when the spec file has run. */
export async function tempDir(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'lading-spec-'));
  made.push(path);
  return path;
}
