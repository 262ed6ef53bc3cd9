import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compare } from '../compare.js';
import { verify } from '../peers/lading.js';
import { besideBuildkit, builds, ladingBuild, sizeText } from './app-contenders.js';
import type { Workload } from './workload.js';

export const unchanged: Workload = {
  name: 'unchanged',
  summary: 'the same build again, with nothing changed',
  run: async bench => {
    const app = await bench.app();
    const { contenders, store, image } = await builds(bench, 'unchanged', app.folder, false);
    const section = await compare(bench, {
      name: 'unchanged',
      title: `Nothing changed (${sizeText(app)})`,
      contenders,
      limits: besideBuildkit(ladingBuild, 1 / 5),
      warmUps: 1,
    });
    await verify(bench, store, image);
    await bench.remove(store);
    return [section];
  },
};

export const oneChanged: Workload = {
  name: 'one-changed',
  summary: 'the same build again, with one file changed',
  run: async bench => {
    const app = await bench.app();
    const { contenders, store, image } = await builds(bench, 'one', app.folder, false);
    const packages = (await readdir(join(app.folder, 'node_modules')))
      .filter(name => name.startsWith('package-'))
      .sort();
    const file = join(app.folder, 'node_modules', packages[Math.floor(packages.length / 2)]!, 'package.json');
    let changes = 0;
    // Each of them finds a change since its own last build, of a file in the middle of the others.
    const change = (): Promise<void> => writeFile(file, `{ "change": ${++changes} }\n`);
    const section = await compare(bench, {
      name: 'one-changed',
      title: `One file changed (${sizeText(app)})`,
      contenders: contenders.map(one => ({ ...one, before: change })),
      limits: besideBuildkit(ladingBuild, 1 / 8),
      warmUps: 1,
    });
    await verify(bench, store, image);
    await bench.remove(store);
    return [section];
  },
};
