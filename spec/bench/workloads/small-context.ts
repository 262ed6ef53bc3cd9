import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compare } from '../compare.js';
import { writeEqualFiles } from '../context/equal-files.js';
import { verify } from '../peers/lading.js';
import { appDockerfile } from '../workbench.js';
import { builds, ladingBuild, sizeText } from './app-contenders.js';
import type { Workload } from './workload.js';

const empty = 'node -e 0';

export const smallUnchanged: Workload = {
  name: 'small-unchanged',
  summary: 'a small context again, with nothing changed',
  run: async bench => {
    const folder = bench.path('small');
    await mkdir(folder);
    const small = await writeEqualFiles(folder, 10, 2_000, bench.making);
    await writeFile(join(folder, 'Dockerfile'), appDockerfile((await bench.base()).name));
    const { contenders, store, image } = await builds(bench, 'small', folder, false);
    const section = await compare(bench, {
      name: 'small-unchanged',
      title: `Nothing changed in a small context (${sizeText(small)})`,
      contenders: [...contenders, { name: empty, argv: [process.execPath, '-e', '0'] }],
      limits: [{ kind: 'time', contender: ladingBuild, of: [empty], most: 1.5, allowance: 0.1 }],
      times: 3,
      warmUps: 1,
    });
    await verify(bench, store, image);
    await bench.remove(store, folder);
    return [section];
  },
};
