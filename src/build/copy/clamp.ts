import type { FileTime } from '../../tree/node.js';

/**
 * What becomes of the times of files. `clamp`: none is newer than the epoch; `keep`: they stay as they are, without what is
 * below a second, which other builders have in no layer; `exact`: to the nanosecond.
 */
export type Timestamps = 'clamp' | 'keep' | 'exact';

export type Clamp = (time: FileTime) => FileTime;

/** `epoch` in seconds since 1970. */
export function clampTo(epoch: number, timestamps: Timestamps): Clamp {
  switch (timestamps) {
    case 'clamp':
      return ({ mtime }) => ({ mtime: Math.min(mtime, epoch), mtimeNanoseconds: undefined });
    case 'keep':
      return ({ mtime }) => ({ mtime, mtimeNanoseconds: undefined });
    case 'exact':
      return ({ mtime, mtimeNanoseconds }) => ({ mtime, mtimeNanoseconds });
  }
}
