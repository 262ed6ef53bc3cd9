import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compare } from '../compare.js';
import { writeLargeFile } from '../context/large-file.js';
import type { Contender } from '../measure.js';
import type { Absent } from '../peers/absent.js';
import { lading, verify } from '../peers/lading.js';
import { readAll } from './app-contenders.js';
import type { Workload } from './workload.js';

const level = 6;
const ours = `lading build --compression-level ${level}`;
const theirs = `pigz -p2 -${level} beside sha256sum`;

export const largeFile: Workload = {
  name: 'large-file',
  summary: 'one very large file',
  run: async bench => {
    const mebibytes = bench.scale(4096, 48);
    bench.tell(`making a file of ${mebibytes} MiB`);
    const context = await writeLargeFile(bench.path('large'), mebibytes * 2 ** 20, bench.making);
    await writeFile(join(context.folder, 'Dockerfile'), 'FROM scratch\nCOPY large.bin /\n');
    const store = bench.path('large-store');
    const contenders: Array<Contender | Absent> = [
      {
        name: ours,
        argv: [
          ...lading('build', '-q', '--compression-level', String(level)),
          ...['--root', store, '-t', 'large:1', context.folder],
        ],
        before: () => bench.remove(store),
      },
    ];
    const missing = bench.programs.missing(['pigz']);
    if (missing.length > 0) contenders.push({ name: theirs, missing });
    else {
      const script = `"$0" -p2 -${level} -c "$1" > "$2" & compressing=$!; sha256sum "$1" && wait $compressing`;
      const file = join(context.folder, 'large.bin');
      const argv = ['sh', '-c', script, bench.programs.path('pigz'), file, bench.path('large.gz')];
      contenders.push({ name: theirs, argv });
    }
    await readAll(bench, context.folder);
    const section = await compare(bench, {
      name: 'large-file',
      title: `One file of ${mebibytes >= 1024 ? `${mebibytes / 1024} GiB` : `${mebibytes} MiB`}`,
      contenders,
      limits: [
        { kind: 'time', contender: ours, of: [theirs], most: 1 / 0.9 },
        { kind: 'memory', contender: ours, mostMiB: 300 },
      ],
    });
    await verify(bench, store, 'large:1');
    await bench.remove(store, context.folder, bench.path('large.gz'));
    return [section];
  },
};
