import type { BigIntStats } from 'node:fs';
import type { HostIdentity } from '../tree/node.js';

/** Numbers of a row: device, inode, size, mtime and ctime in ns, mode. */
const columns = 6;

/** What `stat` says of the files of a folder, as a table: 48 bytes a file, where objects take ten times that. */
export class IdentityColumns {
  readonly #numbers: BigInt64Array;
  #rows = 0;

  /** `capacity`: how many files there can be at most. */
  constructor(capacity: number) {
    this.#numbers = new BigInt64Array(capacity * columns);
  }

  /** The number of the new row. */
  add({ dev, ino, size, mtimeNs, ctimeNs, mode }: BigIntStats): number {
    const row = this.#rows++;
    const at = row * columns;
    const numbers = this.#numbers;
    numbers[at] = dev;
    numbers[at + 1] = ino;
    numbers[at + 2] = size;
    numbers[at + 3] = mtimeNs;
    numbers[at + 4] = ctimeNs;
    numbers[at + 5] = mode;
    return row;
  }

  get(row: number): HostIdentity {
    const at = row * columns;
    const numbers = this.#numbers;
    return {
      // These two are unsigned, and may use all 64 bits.
      dev: BigInt.asUintN(64, numbers[at]!),
      ino: BigInt.asUintN(64, numbers[at + 1]!),
      size: numbers[at + 2]!,
      mtimeNs: numbers[at + 3]!,
      ctimeNs: numbers[at + 4]!,
      mode: Number(numbers[at + 5]!),
    };
  }
}
