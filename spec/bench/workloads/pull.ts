import { compare } from '../compare.js';
import type { Contender } from '../measure.js';
import type { Absent } from '../peers/absent.js';
import { engines } from '../peers/engine.js';
import { lading, verify } from '../peers/lading.js';
import { skopeoCopy } from '../peers/skopeo.js';
import type { Comparison } from '../section.js';
import type { Workbench } from '../workbench.js';
import { type BuiltImage, buildImage, layerBlobs } from './built-image.js';
import type { Workload } from './workload.js';

const pulled = 'lading pull';
const unpacked = 'gzip -dc | sha256sum';
/** `docker pull`, `podman pull`. */
const pulling = (engine: string): string => `${engine} pull`;
const copied = 'lading copy docker:// oci:';
const copiedIn = 'skopeo copy docker:// oci:';

export const pull: Workload = {
  name: 'pull',
  summary: 'an image from a registry on this machine into an empty store, and into a folder',
  run: async bench => {
    const built = await buildImage(bench);
    const { base, name } = built;
    const missing = bench.programs.missing(['docker-registry']);
    if (missing.length > 0) {
      return [
        await compare(bench, {
          ...pullPlan(built),
          contenders: absent(missing, pulled, unpacked, ...engines.map(({ name }) => pulling(name))),
        }),
        await compare(bench, { ...copyPlan(built), contenders: absent(missing, copied, copiedIn) }),
      ];
    }
    await base.resetRegistry('empty');
    await bench.run(lading('push', '-q', '--insecure', '--root', built.store, name));
    return [await pullInto(bench, built), await copying(bench, built)];
  },
};

/** A pull decompresses what comes and indexes it; engines unpack it as well. */
async function pullInto(bench: Workbench, built: BuiltImage): Promise<Comparison> {
  const { name } = built;
  const store = bench.path('pull-store');
  const blobs = await layerBlobs(bench, built);
  const beside: Array<Contender | Absent> = [];
  for (const engine of engines) {
    const missing = bench.programs.missing(engine.needs);
    if (missing.length > 0) beside.push({ name: pulling(engine.name), missing });
    else {
      const peer = await bench.engine(engine);
      beside.push({ name: pulling(engine.name), ...peer.pull(name), before: () => peer.forget(name), note: peer.note });
    }
  }
  const section = await compare(bench, {
    ...pullPlan(built),
    contenders: [
      {
        name: pulled,
        argv: lading('pull', '-q', '--insecure', '--root', store, name),
        before: () => bench.remove(store),
      },
      {
        name: unpacked,
        argv: ['bash', '-o', 'pipefail', '-c', 'for blob; do gzip -dc < "$blob" | sha256sum; done', 'sh', ...blobs],
      },
      ...beside,
    ],
  });
  await verify(bench, store, name);
  await bench.remove(store);
  return section;
}

/** Neither of the two does. */
async function copying(bench: Workbench, built: BuiltImage): Promise<Comparison> {
  const { name } = built;
  const [ours, theirs] = [bench.path('copied-layout'), bench.path('skopeo-layout')];
  const missing = bench.programs.missing(['skopeo']);
  const section = await compare(bench, {
    ...copyPlan(built),
    contenders: [
      {
        name: copied,
        argv: lading('copy', '-q', '--insecure', `docker://${name}`, `oci:${ours}:1`),
        before: () => bench.remove(ours),
      },
      missing.length > 0
        ? { name: copiedIn, missing }
        : {
            name: copiedIn,
            argv: skopeoCopy(bench, `docker://${name}`, `oci:${theirs}:1`),
            before: () => bench.remove(theirs),
          },
    ],
  });
  await bench.run(lading('inspect', '--verify', `oci:${ours}:1`));
  await bench.remove(ours, theirs);
  return section;
}

function pullPlan({ size }: BuiltImage) {
  const limits = [{ kind: 'time', contender: pulled, of: [unpacked], most: 1.3 }] as const;
  return { name: 'pull', title: `Pull (${size})`, limits };
}

function copyPlan({ size }: BuiltImage) {
  const limits = [{ kind: 'time', contender: copied, of: [copiedIn], most: 1.1 }] as const;
  return { name: 'copy', title: `Copy into a folder (${size})`, limits };
}

function absent(missing: readonly string[], ...names: readonly string[]): Absent[] {
  return names.map(name => ({ name, missing }));
}
