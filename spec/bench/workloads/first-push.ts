import { compare } from '../compare.js';
import type { Contender } from '../measure.js';
import type { Absent } from '../peers/absent.js';
import { lading, verify } from '../peers/lading.js';
import { daemons, readAll, sizeText } from './app-contenders.js';
import type { Workload } from './workload.js';

const ours = 'lading build --push';
/** `docker build` and a push, `buildctl build` and a push. */
const pushing = (build: string): string => `${build} and push`;

export const firstPush: Workload = {
  name: 'first-push',
  summary: 'the same, and pushed to a registry that has the base image',
  run: async bench => {
    const app = await bench.app();
    const base = await bench.base();
    const store = bench.path('push-store');
    const image = `${base.host}/apps/pushed:1`;
    const noRegistry = bench.programs.missing(['docker-registry']);
    const push = {
      name: ours,
      argv: lading('build', '-q', '--push', '--insecure', '--root', store, '-t', image, app.folder),
      before: async () => {
        await base.resetRegistry('base');
        await bench.restore(base.store, store);
      },
    };
    const contenders: Array<Contender | Absent> = [noRegistry.length > 0 ? { name: ours, missing: noRegistry } : push];
    for (const peer of daemons) {
      const name = pushing(peer.name);
      const missing = bench.programs.missing(peer.needs);
      if (missing.length > 0) contenders.push({ name, missing });
      else {
        const daemon = await peer.start(bench);
        contenders.push({
          name,
          ...daemon.buildAndPush(image, app.folder),
          before: async () => {
            await base.resetRegistry('base');
            await daemon.forget(image);
          },
          note: daemon.note,
        });
      }
    }
    await readAll(bench, app.folder);
    const section = await compare(bench, {
      name: 'first-push',
      title: `First build and push (${sizeText(app)})`,
      contenders,
      limits: daemons.map(peer => ({ kind: 'time', contender: ours, of: [pushing(peer.name)], most: 1 / 8 })),
    });
    if (noRegistry.length === 0) {
      // Once more, for what lies in the registry now may come from another contender.
      await push.before();
      await bench.run(push.argv);
      await verify(bench, store, `docker://${image}`);
    }
    await bench.remove(store);
    return [section];
  },
};
