import { compare } from '../compare.js';
import type { Contender } from '../measure.js';
import type { Absent } from '../peers/absent.js';
import { engines } from '../peers/engine.js';
import { lading, verify } from '../peers/lading.js';
import { skopeoCopy } from '../peers/skopeo.js';
import { buildImage } from './built-image.js';
import type { Workload } from './workload.js';

const pushed = 'lading push';
const copiedOut = 'skopeo copy oci: docker://';
const craned = 'crane push';
/** `docker push`, `podman push`: what they have unpacked they pack again. */
const pushing = (engine: string): string => `${engine} push`;
const standIn = 'Stands in for `crane push`, which Debian does not have';

export const push: Workload = {
  name: 'push',
  summary: 'an image from the store to an empty registry on this machine',
  run: async bench => {
    const built = await buildImage(bench);
    const { base, name } = built;
    const layout = bench.path('push-layout');
    const before = (): Promise<void> => base.resetRegistry('empty');
    const or = (
      peer: string,
      needs: readonly string[],
      argv: () => readonly string[],
      note?: string,
      env?: Readonly<Record<string, string>>,
    ): Contender | Absent => {
      const missing = bench.programs.missing(['docker-registry', ...needs]);
      return missing.length > 0 ? { name: peer, missing } : { name: peer, argv: argv(), before, note, env };
    };
    if (bench.programs.missing(['skopeo', 'docker-registry']).length === 0) {
      await base.resetRegistry('empty');
      await bench.run(lading('push', '-q', '--insecure', '--root', built.store, name));
      await bench.run(skopeoCopy(bench, `docker://${name}`, `oci:${layout}:1`));
    }
    const beside: Array<Contender | Absent> = [];
    for (const engine of engines) {
      const { needs } = engine;
      const peer = bench.programs.missing(needs).length > 0 ? undefined : await bench.engine(engine);
      if (peer !== undefined) {
        // Into its storage by its own pull; the registry has the image from above.
        await bench.run(lading('push', '-q', '--insecure', '--root', built.store, name));
        await bench.run(peer.pull(name).argv, { env: peer.pull(name).env });
      }
      beside.push(or(pushing(engine.name), needs, () => peer!.push(name).argv, peer?.note, peer?.push(name).env));
    }
    const crane = bench.programs.missing(['crane']).length === 0;
    const section = await compare(bench, {
      name: 'push',
      title: `Push (${built.size})`,
      contenders: [
        or(pushed, [], () => lading('push', '-q', '--insecure', '--root', built.store, name)),
        or(
          copiedOut,
          ['skopeo'],
          () => skopeoCopy(bench, `oci:${layout}:1`, `docker://${name}`),
          crane ? undefined : standIn,
        ),
        or(craned, ['crane', 'skopeo'], () => [bench.programs.path('crane'), 'push', '--insecure', layout, name]),
        or('regctl image copy', ['regctl', 'skopeo'], () => [
          ...[bench.programs.path('regctl'), '--host', `reg=${base.host},tls=disabled`],
          ...['image', 'copy', `ocidir://${layout}:1`, name],
        ]),
        ...beside,
      ],
      limits: [crane ? craned : copiedOut, ...engines.map(({ name: engine }) => pushing(engine))].map(peer => ({
        kind: 'time',
        contender: pushed,
        of: [peer],
        most: 1.1,
      })),
    });
    if (base.registry) {
      await base.resetRegistry('empty');
      await bench.run(lading('push', '-q', '--insecure', '--root', built.store, name));
      await verify(bench, built.store, `docker://${name}`);
    }
    await bench.remove(layout);
    return [section];
  },
};
