/** What several threads list together. */
export interface ScanJob {
  readonly host: string;
  /** Text of an ignore file. */
  readonly ignore?: string | undefined;
  /** To be listed with all below them. */
  readonly folders: readonly string[];
  /** Place of the next one that nobody has taken; in memory that all threads see. */
  readonly next: Int32Array;
}

/** The folders that nobody else has taken, one after another. */
export function* takeFolders({ folders, next }: Pick<ScanJob, 'folders' | 'next'>): Generator<string> {
  for (let place = Atomics.add(next, 0, 1); place < folders.length; place = Atomics.add(next, 0, 1)) {
    yield folders[place]!;
  }
}
