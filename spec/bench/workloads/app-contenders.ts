import type { Contender } from '../measure.js';
import type { Absent } from '../peers/absent.js';
import { buildahNeeds, openBuildah } from '../peers/buildah.js';
import { dockerNeeds } from '../peers/docker.js';
import { lading } from '../peers/lading.js';
import { grouped } from '../report/numbers.js';
import type { Workbench } from '../workbench.js';

export const ladingBuild = 'lading build';
export const dockerBuild = 'docker build';
export const buildahBuild = 'buildah build';

export interface Builds {
  readonly contenders: ReadonlyArray<Contender | Absent>;
  /** The store of lading. */
  readonly store: string;
  readonly image: string;
}

/**
 * The builders that are here, each with the base image, and each building `folder` under a name of its own. `first`: every
 * build finds nothing of an earlier one; else it finds all of it, once each of them has built.
 */
export async function builds(bench: Workbench, name: string, folder: string, first: boolean): Promise<Builds> {
  const base = await bench.base();
  const store = bench.path(`${name}-store`);
  const image = `${base.host}/apps/${name}:1`;
  const fresh = (): Promise<void> => bench.restore(base.store, store);
  await fresh();
  const contenders: Array<Contender | Absent> = [
    {
      name: ladingBuild,
      argv: lading('build', '-q', '--root', store, '-t', image, folder),
      before: first ? fresh : undefined,
    },
  ];
  const noDocker = bench.programs.missing(dockerNeeds);
  if (noDocker.length > 0) contenders.push({ name: dockerBuild, missing: noDocker });
  else {
    const docker = await bench.docker();
    const before = first ? () => docker.forget(image) : undefined;
    contenders.push({ name: dockerBuild, ...docker.build(image, folder), before, note: docker.note });
  }
  const noBuildah = bench.programs.missing(buildahNeeds);
  if (noBuildah.length > 0) contenders.push({ name: buildahBuild, missing: noBuildah });
  else {
    const buildah = await openBuildah(bench, bench.path(`${name}-buildah`));
    const before = first ? () => buildah.forget(image) : undefined;
    contenders.push({ name: buildahBuild, ...buildah.build(image, folder, !first), before });
  }
  return { contenders, store, image };
}

/** `76,000 files, 533 MB`. */
export function sizeText({ files, bytes }: { readonly files: number; readonly bytes: number }): string {
  const size = bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${grouped(Math.round(bytes / 1e6))} MB`;
  return `${grouped(files)} files, ${size}`;
}

/** Reads everything below a folder, so that the first of the contenders finds it in memory like the others. */
export async function readAll(bench: Workbench, folder: string): Promise<void> {
  await bench.run(['bash', '-o', 'pipefail', '-c', 'tar -C "$0" -c . | cat > /dev/null', folder]);
}
