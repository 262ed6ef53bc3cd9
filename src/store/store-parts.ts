import type { FileLock } from './file-lock.js';
import type { LayerFiles } from './layer-files.js';
import type { ImageLayout } from './layout.js';
import type { RecordFiles } from './record-files.js';

/** What an opened store is made of, for the work that looks at all of it: prune, check, usage. */
export interface StoreParts {
  readonly root: string;
  readonly layout: ImageLayout;
  readonly layers: LayerFiles;
  readonly records: RecordFiles;
  /** Held by a prune while it looks and deletes. */
  readonly sweepLock: FileLock;
}
