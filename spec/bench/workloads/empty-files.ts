import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compare } from '../compare.js';
import { writeEqualFiles } from '../context/equal-files.js';
import { lading, verify } from '../peers/lading.js';
import { tarPigz, tarPigzName } from '../peers/tar-pigz.js';
import { readAll } from './app-contenders.js';
import type { Workload } from './workload.js';

const ours = 'lading build';

export const emptyFiles: Workload = {
  name: 'empty-files',
  summary: 'a million empty files',
  run: async bench => {
    const count = bench.scale(1_000_000, 10_000);
    bench.tell(`making ${count.toLocaleString('en')} empty files`);
    const context = await writeEqualFiles(bench.path('empty'), count, 0, bench.making);
    await writeFile(join(context.folder, 'Dockerfile'), 'FROM scratch\nCOPY . .\n');
    const store = bench.path('empty-store');
    const missing = bench.programs.missing(['pigz']);
    const name = tarPigzName(6);
    await readAll(bench, context.folder);
    const section = await compare(bench, {
      name: 'empty-files',
      title: `${count.toLocaleString('en')} empty files`,
      contenders: [
        {
          name: ours,
          argv: lading('build', '-q', '--root', store, '-t', 'empty:1', context.folder),
          before: () => bench.remove(store),
        },
        missing.length > 0 ? { name, missing } : tarPigz(bench, context.folder, 6),
      ],
      limits: [{ kind: 'memory', contender: ours, mostMiB: 600 }],
    });
    await verify(bench, store, 'empty:1');
    await bench.remove(store, context.folder);
    return [section];
  },
};
