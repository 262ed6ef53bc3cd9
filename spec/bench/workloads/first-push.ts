import { compare } from '../compare.js';
import type { Contender } from '../measure.js';
import type { Absent } from '../peers/absent.js';
import { dockerNeeds } from '../peers/docker.js';
import { lading, verify } from '../peers/lading.js';
import { readAll, sizeText } from './app-contenders.js';
import type { Workload } from './workload.js';

const ours = 'lading build --push';
const theirs = 'docker build && docker push';

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
    const noDocker = bench.programs.missing(dockerNeeds);
    if (noDocker.length > 0) contenders.push({ name: theirs, missing: noDocker });
    else {
      const docker = await bench.docker();
      contenders.push({
        name: theirs,
        ...docker.buildAndPush(image, app.folder),
        before: async () => {
          await base.resetRegistry('base');
          await docker.forget(image);
        },
        note: docker.note,
      });
    }
    await readAll(bench, app.folder);
    const section = await compare(bench, {
      name: 'first-push',
      title: `First build and push (${sizeText(app)})`,
      contenders,
      limits: [{ kind: 'time', contender: ours, of: [theirs], most: 1 / 8 }],
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
