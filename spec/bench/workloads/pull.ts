import { compare } from '../compare.js';
import type { Absent } from '../peers/absent.js';
import { lading, verify } from '../peers/lading.js';
import { skopeoCopy } from '../peers/skopeo.js';
import { buildImage, layerBlobs } from './built-image.js';
import type { Workload } from './workload.js';

const pulled = 'lading pull';
const unpacked = 'gzip -dc | sha256sum';
const copiedIn = 'skopeo copy docker:// oci:';

export const pull: Workload = {
  name: 'pull',
  summary: 'an image from a registry on this machine into an empty store',
  run: async bench => {
    const built = await buildImage(bench);
    const { base, name } = built;
    const title = `Pull (${built.size})`;
    const missing = bench.programs.missing(['docker-registry']);
    if (missing.length > 0) return [await compare(bench, { ...pullPlan(title), contenders: absentPull(missing) })];
    await base.resetRegistry('empty');
    await bench.run(lading('push', '-q', '--insecure', '--root', built.store, name));
    const [store, layout] = [bench.path('pull-store'), bench.path('pull-layout')];
    const blobs = await layerBlobs(bench, built);
    const noSkopeo = bench.programs.missing(['skopeo']);
    const section = await compare(bench, {
      ...pullPlan(title),
      contenders: [
        {
          name: pulled,
          argv: lading('pull', '-q', '--insecure', '--root', store, name),
          before: () => bench.remove(store),
        },
        noSkopeo.length > 0
          ? { name: copiedIn, missing: noSkopeo }
          : {
              name: copiedIn,
              argv: skopeoCopy(bench, `docker://${name}`, `oci:${layout}:1`),
              before: () => bench.remove(layout),
            },
        {
          name: unpacked,
          argv: ['bash', '-o', 'pipefail', '-c', 'for blob; do gzip -dc < "$blob" | sha256sum; done', 'sh', ...blobs],
        },
      ],
    });
    await verify(bench, store, name);
    await bench.remove(store, layout);
    return [section];
  },
};

function pullPlan(title: string) {
  const limits = [{ kind: 'time', contender: pulled, of: [copiedIn, unpacked], most: 1.3 }] as const;
  return { name: 'pull', title, limits };
}

function absentPull(missing: readonly string[]): Absent[] {
  return [pulled, copiedIn, unpacked].map(name => ({ name, missing }));
}
