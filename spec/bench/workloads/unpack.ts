import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compare } from '../compare.js';
import { writeEqualFiles } from '../context/equal-files.js';
import type { Contender } from '../measure.js';
import type { Absent } from '../peers/absent.js';
import { dockerNeeds } from '../peers/docker.js';
import { lading } from '../peers/lading.js';
import { sizeText } from './app-contenders.js';
import type { Workload } from './workload.js';

const unpacked = 'lading build --output type=local';
const dockerLoad = 'docker load';
const umociUnpack = 'umoci unpack';

/** Layers of somebody else to files: what a root for RUN takes when it is made for the first time. */
export const unpack: Workload = {
  name: 'unpack',
  summary: 'the layers of an image to files on the disk',
  run: async bench => {
    const [folder, store, file] = [bench.path('unpack'), bench.path('unpack-store'), bench.path('unpack.tar')];
    const files = join(folder, 'files');
    await mkdir(files, { recursive: true });
    const many = await writeEqualFiles(files, bench.scale(20_000, 4_000), 8_000, bench.making);
    await writeFile(join(folder, 'Dockerfile'), 'FROM scratch\nCOPY files /srv/\n');
    const image = 'localhost/apps/unpacked:1';
    const making = bench.path('unpack-making');
    await bench.run(lading('build', '-q', '--root', making, '-t', image, folder));
    await bench.run(lading('save', '--root', making, '-o', file, image));
    // Loaded, it is an image like any other: nothing is known of how its layers were packed.
    await bench.run(lading('load', '-q', '--root', store, '-i', file));
    const context = join(folder, 'unpacked');
    await mkdir(context);
    await writeFile(join(context, 'Dockerfile'), `FROM ${image}\n`);
    const [local, bundle] = [bench.path('unpack-local'), bench.path('unpack-bundle')];
    const contenders: Array<Contender | Absent> = [
      {
        name: unpacked,
        argv: lading('build', '-q', '--root', store, '-o', `type=local,dest=${local}`, context),
        before: () => bench.remove(local),
      },
    ];
    const noDocker = bench.programs.missing(dockerNeeds);
    if (noDocker.length > 0) contenders.push({ name: dockerLoad, missing: noDocker });
    else {
      const docker = await bench.docker();
      const before = (): Promise<void> => docker.forget(image);
      contenders.push({ name: dockerLoad, ...docker.load(file), before, note: docker.note });
    }
    const noUmoci = bench.programs.missing(['umoci', 'root']);
    if (noUmoci.length > 0) contenders.push({ name: umociUnpack, missing: noUmoci });
    else {
      const argv = [bench.programs.path('umoci'), 'unpack', '--image', `${store}:${image}`, bundle];
      contenders.push({ name: umociUnpack, argv, before: () => bench.remove(bundle) });
    }
    const section = await compare(bench, {
      name: 'unpack',
      title: `Layers to files (${sizeText(many)})`,
      contenders,
      limits: [{ kind: 'time', contender: unpacked, of: [dockerLoad], most: 0.5 }],
    });
    await bench.remove(store, making, folder, file, local, bundle);
    return [section];
  },
};
