import { lstatSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { StatTable } from '../../src/snapshot/stat-table.js';
import { tempDir } from '../support/temp-dir.js';

describe('StatTable', () => {
  const names = ['a', 'd/é', 'd/\udcff\n', `${'long/'.repeat(800)}f`];

  async function filled(): Promise<{ file: string; table: StatTable }> {
    const file = join(await tempDir(), 'file');
    writeFileSync(file, 'x');
    const table = new StatTable(0);
    for (const name of names) table.add(name, lstatSync(file, { bigint: true }));
    return { file, table };
  }

  it('holds for what nobody has touched, also when it comes from the disk', async () => {
    const { file, table } = await filled();
    const read = StatTable.decode(Buffer.concat(table.encode()))!;
    expect([...read.paths()]).toEqual(names);
    const stats = lstatSync(file, { bigint: true });
    for (const name of names) expect(read.holds(name, stats)).toBe(true);
    expect(read.holds('other', stats)).toBe(false);
    // The same size and times as before: only the time of the change tells.
    const { atimeMs, mtimeMs } = lstatSync(file);
    writeFileSync(file, 'y');
    utimesSync(file, atimeMs / 1000, mtimeMs / 1000);
    for (const name of names) expect(read.holds(name, lstatSync(file, { bigint: true }))).toBe(false);
  });

  it('grows, and takes rows over', async () => {
    const { file, table } = await filled();
    const stats = lstatSync(file, { bigint: true });
    const other = new StatTable(1);
    expect(other.take('a', table)).toBe(true);
    expect(other.take('b', table)).toBe(false);
    for (let i = 0; i < 3000; i++) other.add(`f${i}`, stats);
    expect(other.size).toBe(3001);
    expect(other.holds('a', stats) && other.holds('f2999', stats)).toBe(true);
  });

  it('is nothing when any part of it is missing or wrong', async () => {
    const { table } = await filled();
    const bytes = Buffer.concat(table.encode());
    for (let length = 0; length < bytes.length; length += 7)
      expect(StatTable.decode(bytes.subarray(0, length))).toBeUndefined();
    expect(StatTable.decode(Buffer.concat([bytes, Buffer.alloc(1)]))).toBeUndefined();
    const count = Buffer.from(bytes);
    count.writeUInt32LE(names.length + 1, 20);
    expect(StatTable.decode(count)).toBeUndefined();
  });
});
