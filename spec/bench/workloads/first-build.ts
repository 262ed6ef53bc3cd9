import { compare } from '../compare.js';
import type { Contender } from '../measure.js';
import type { Absent } from '../peers/absent.js';
import { verify } from '../peers/lading.js';
import { umociInsert, umociNeeds } from '../peers/umoci.js';
import { besideBuildkit, builds, ladingBuild, readAll, sizeText } from './app-contenders.js';
import type { Workload } from './workload.js';

export const firstBuild: Workload = {
  name: 'first-build',
  summary: 'an application with its node_modules, on a base image, with nothing to reuse',
  run: async bench => {
    const app = await bench.app();
    const { contenders, store, image } = await builds(bench, 'first', app.folder, true);
    const missing = bench.programs.missing(umociNeeds);
    const name = 'umoci insert';
    const umoci: Contender | Absent =
      missing.length > 0 ? { name, missing } : await umociInsert(bench, name, app.folder, bench.path('first-umoci'));
    await readAll(bench, app.folder);
    const section = await compare(bench, {
      name: 'first-build',
      title: `First build (${sizeText(app)})`,
      contenders: [...contenders, umoci],
      limits: besideBuildkit(ladingBuild, 1 / 5),
    });
    await verify(bench, store, image);
    await bench.remove(store, bench.path('first-umoci'));
    return [section];
  },
};
