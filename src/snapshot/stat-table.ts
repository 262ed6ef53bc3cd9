import type { BigIntStats } from 'node:fs';
import { decodePath, encodePath } from '../tree/path.js';

const columns = 8;
const magic = Buffer.from('lading stat table 1\n');

/**
 * What `stat` said of the files of a root when their content was known, by path. No device: that of a disk may change with
 * every start of the machine, and a root is on one disk. The time of a change cannot be set by a process, so a row that
 * still holds means a file that nobody has touched.
 */
export class StatTable {
  readonly #rows = new Map<string, number>();
  #numbers: BigInt64Array;

  constructor(capacity = 1024) {
    this.#numbers = new BigInt64Array(capacity * columns);
  }

  get size(): number {
    return this.#rows.size;
  }

  has(path: string): boolean {
    return this.#rows.has(path);
  }

  /** The paths, in the order in which they were added. */
  paths(): IterableIterator<string> {
    return this.#rows.keys();
  }

  add(path: string, stats: BigIntStats): void {
    const at = this.#newRow(path);
    const numbers = this.#numbers;
    numbers[at] = stats.ino;
    numbers[at + 1] = stats.size;
    numbers[at + 2] = stats.mtimeNs;
    numbers[at + 3] = stats.ctimeNs;
    numbers[at + 4] = stats.mode;
    numbers[at + 5] = stats.nlink;
    numbers[at + 6] = stats.uid;
    numbers[at + 7] = stats.gid;
  }

  /** Takes the row of a path over from another table. @returns whether it has one */
  take(path: string, from: StatTable): boolean {
    const row = from.#rows.get(path);
    if (row === undefined) return false;
    const at = this.#newRow(path);
    this.#numbers.set(from.#numbers.subarray(row, row + columns), at);
    return true;
  }

  /** Whether a file is as it was noted. */
  holds(path: string, stats: BigIntStats): boolean {
    const at = this.#rows.get(path);
    if (at === undefined) return false;
    const numbers = this.#numbers;
    return (
      numbers[at] === BigInt.asIntN(64, stats.ino) &&
      numbers[at + 1] === stats.size &&
      numbers[at + 2] === stats.mtimeNs &&
      numbers[at + 3] === stats.ctimeNs &&
      numbers[at + 4] === stats.mode &&
      numbers[at + 5] === stats.nlink &&
      numbers[at + 6] === stats.uid &&
      numbers[at + 7] === stats.gid
    );
  }

  encode(): Uint8Array[] {
    const paths: Buffer[] = [];
    for (const path of this.#rows.keys()) paths.push(encodePath(path), Buffer.from([0]));
    const names = Buffer.concat(paths);
    const head = Buffer.alloc(12);
    head.writeUInt32LE(this.#rows.size, 0);
    head.writeBigUInt64LE(BigInt(names.length), 4);
    const { buffer } = this.#numbers;
    return [magic, head, names, new Uint8Array(buffer, 0, this.#rows.size * columns * 8)];
  }

  /** @returns `undefined` for anything that {@link encode} has not made */
  static decode(bytes: Buffer): StatTable | undefined {
    const start = magic.length + 12;
    if (bytes.length < start || !bytes.subarray(0, magic.length).equals(magic)) return undefined;
    const count = bytes.readUInt32LE(magic.length);
    const end = start + Number(bytes.readBigUInt64LE(magic.length + 4));
    if (bytes.length !== end + count * columns * 8) return undefined;
    const table = new StatTable(0);
    let from = start;
    for (let row = 0; row < count; row++) {
      const nul = bytes.indexOf(0, from);
      if (nul < 0 || nul >= end) return undefined;
      table.#rows.set(decodePath(bytes.subarray(from, nul)), row * columns);
      from = nul + 1;
    }
    const numbers = new Uint8Array(count * columns * 8);
    numbers.set(bytes.subarray(end));
    table.#numbers = new BigInt64Array(numbers.buffer);
    return table.#rows.size === count ? table : undefined;
  }

  #newRow(path: string): number {
    const at = this.#rows.size * columns;
    if (at + columns > this.#numbers.length) {
      const grown = new BigInt64Array(Math.max(1024 * columns, this.#numbers.length * 2));
      grown.set(this.#numbers);
      this.#numbers = grown;
    }
    this.#rows.set(path, at);
    return at;
  }
}
