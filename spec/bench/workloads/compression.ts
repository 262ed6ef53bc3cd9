import * as zlib from 'node:zlib';
import { measureHere } from '../compare.js';
import type { Contender } from '../measure.js';
import { lading, manifestOf, verify } from '../peers/lading.js';
import type { CompressionTable } from '../section.js';
import { readAll, sizeText } from './app-contenders.js';
import type { Workload } from './workload.js';

const gzip = [1, 2, 3, 4, 5, 6, 7, 8, 9].map(level => ({ kind: 'gzip', level }));
const zstd = [1, 3, 6, 9, 12, 15, 19].map(level => ({ kind: 'zstd', level }));

/** Size against time, of which the default is chosen. */
export const compression: Workload = {
  name: 'compression',
  summary: 'size against time for kinds and levels of compression',
  onDemand: true,
  run: async bench => {
    const app = await bench.app();
    const base = await bench.base();
    const hasZstd = 'createZstdCompress' in zlib;
    const store = (name: string): string => bench.path(`compression-${name.replace(' ', '-')}`);
    const image = 'compressed:1';
    const contenders = [{ kind: 'none', level: undefined }, ...gzip, ...(hasZstd ? zstd : [])].map(
      ({ kind, level }): Contender => {
        const name = level === undefined ? kind : `${kind} ${level}`;
        const levels = level === undefined ? [] : ['--compression-level', String(level)];
        return {
          name,
          argv: [
            ...lading('build', '-q', '--compression', kind, ...levels),
            ...['--root', store(name), '-t', image, app.folder],
          ],
          before: () => bench.restore(base.store, store(name)),
        };
      },
    );
    await readAll(bench, app.folder);
    const measured = await measureHere(bench, 'compression', contenders, bench.runs, 0);
    const rows: Array<CompressionTable['rows'][number]> = [];
    for (const one of measured) {
      await verify(bench, store(one.name), image);
      const { layers } = await manifestOf(bench, store(one.name), image);
      rows.push({ bytes: layers.at(-1)!.size, measured: one });
      await bench.remove(store(one.name));
    }
    const absent = hasZstd ? [] : [`zstd: Node ${process.version} has none (22.15 and later have)`];
    const title = `First build (${sizeText(app)})`;
    return [{ kind: 'compression', name: 'compression', title, uncompressed: rows[0]!.bytes, rows, absent }];
  },
};
