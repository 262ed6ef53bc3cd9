import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ioError } from '../../errors/io-error.js';
import { removeFiles } from '../../layer/remove-files.js';
import type { Roots } from '../../snapshot/roots.js';
import type { CallOptions } from '../../stream/bytes.js';
import { once } from '../once.js';
import { type BoundFiles, contentPath } from './bound-files.js';

/** Files of the build, written to folders of this machine, for commands to see. */
export interface BindFolders {
  /** What nobody writes to is written once, and stays as long as the build; the rest goes when it is released. */
  open(
    files: BoundFiles,
    options: CallOptions & { readonly writable: boolean },
  ): Promise<{ readonly path: string; release(): Promise<void> }>;
  /** Writes them to a folder that is to stay. */
  write(files: BoundFiles, path: string, options: CallOptions): Promise<void>;
  /** The same for an empty folder. */
  empty(path: string): Promise<void>;
}

/** `temporary`: a folder of the build's own, which whoever has made it removes. */
export function bindFolders(roots: () => Promise<Roots>, temporary: string): BindFolders {
  const shared = once<string>();
  let count = 0;
  const write: BindFolders['write'] = async ({ tree }, path, options) => {
    await (await roots()).materialise(tree, path, options);
  };
  const written = async (files: BoundFiles, options: CallOptions): Promise<string> => {
    count += 1;
    const path = join(temporary, `bound-${count}`);
    await write(files, path, options);
    return path;
  };
  return {
    async open(files, { writable, signal }) {
      if (!writable) {
        return { path: await shared(files.exactDigest, () => written(files, { signal })), release: async () => {} };
      }
      const path = await written(files, { signal });
      return { path, release: () => removeFiles(path) };
    },
    write,
    async empty(path) {
      try {
        await mkdir(contentPath(path), { recursive: true, mode: 0o755 });
      } catch (error) {
        throw ioError(error, path);
      }
    },
  };
}
