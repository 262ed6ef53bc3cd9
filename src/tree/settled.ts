/**
 * How near to the present a file's times may be for what `stat` says to be relied on, in ns. A file that is written to
 * again within one tick of its file system's clock keeps its times, so what was read of it can be of before (git calls
 * such entries racy). Ticks are a few ms, but whole seconds, or two, on file systems that keep no fractions.
 */
const fineSlack = 100_000_000;
const coarseSlack = 2_100_000_000;

/**
 * From when on a change of the file would show in its times, in ns since 1970. What was read of the file before that may
 * be of another content that looks the same. Rounded, by less than a microsecond.
 */
export function settledFrom(mtime: number, ctime: number): number {
  return Math.max(ctime, mtime) + (ctime % 1e9 === 0 ? coarseSlack : fineSlack);
}
