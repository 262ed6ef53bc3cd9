import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';

/** Lets `write` fill a file, which is there under its name only when it is whole; ending it is not its affair. */
export async function writeWholeFile(path: string, write: (target: Writable) => Promise<void>): Promise<void> {
  const partial = `${path}.partial`;
  const target = createWriteStream(partial);
  try {
    await write(target);
    target.end();
    await finished(target);
    await rename(partial, path);
  } catch (error) {
    target.destroy();
    await rm(partial, { force: true });
    throw error;
  }
}
