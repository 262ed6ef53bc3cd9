import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { measureHere } from '../compare.js';
import type { Context } from '../context/context.js';
import { writeEqualFiles } from '../context/equal-files.js';
import { writeLargeFile } from '../context/large-file.js';
import type { Contender, Measured } from '../measure.js';
import { lading, verify } from '../peers/lading.js';
import { tarPigz } from '../peers/tar-pigz.js';
import type { Curve } from '../section.js';
import { median } from '../statistics.js';
import type { Workbench } from '../workbench.js';
import { readAll } from './app-contenders.js';
import type { Workload } from './workload.js';

const fileSize = 1_000;

/** Whether the cost of a file, and of a byte, stays the same however many there are. */
export const curve: Workload = {
  name: 'curve',
  summary: 'a first build from 1,000 to 1,000,000 files, and from 1 MB to 10 GB',
  onDemand: true,
  run: async bench => {
    const floor = await floorOf(bench);
    const files = await trace(bench, bench.scale([1e3, 1e4, 1e5, 1e6], [1e3, 3e3, 1e4]), (folder, amount) =>
      writeEqualFiles(folder, amount, fileSize, bench.making),
    );
    const megabytes = await trace(bench, bench.scale([1, 10, 100, 1_000, 10_000], [1, 10, 100]), (folder, amount) =>
      writeLargeFile(folder, amount * 1e6, bench.making),
    );
    const both = { kind: 'curve', name: 'curve', floor } as const;
    return [
      { ...both, title: `Files of ${fileSize.toLocaleString('en')} bytes`, unit: 'file', points: files },
      { ...both, title: 'One file', unit: 'MB', points: megabytes },
    ];
  },
};

/** Seconds for a build of one empty file. */
async function floorOf(bench: Workbench): Promise<number> {
  const [point] = await trace(bench, [1], folder => writeEqualFiles(folder, 1, 0, bench.making));
  return median(point!.measured[0]!.samples.map(({ seconds }) => seconds));
}

async function trace(
  bench: Workbench,
  amounts: readonly number[],
  make: (folder: string, amount: number) => Promise<Context>,
): Promise<Curve['points']> {
  const points: Array<{ amount: number; measured: Measured[] }> = [];
  const [folder, store] = [bench.path('curve'), bench.path('curve-store')];
  for (const amount of amounts) {
    bench.tell(`curve: making ${amount.toLocaleString('en')}`);
    await mkdir(folder);
    await make(folder, amount);
    await writeFile(join(folder, 'Dockerfile'), 'FROM scratch\nCOPY . .\n');
    await readAll(bench, folder);
    const contenders: Contender[] = [
      {
        name: 'lading build',
        argv: lading('build', '-q', '--compression-level', '6', '--root', store, '-t', 'curve:1', folder),
        before: () => bench.remove(store),
      },
    ];
    if (bench.programs.missing(['pigz']).length === 0) contenders.push(tarPigz(bench, folder, 6));
    points.push({ amount, measured: await measureHere(bench, `curve, ${amount}`, contenders, bench.runs, 0) });
    await verify(bench, store, 'curve:1');
    await bench.remove(folder, store);
  }
  return points;
}
