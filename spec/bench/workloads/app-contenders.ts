import type { Limit } from '../limit.js';
import type { Contender } from '../measure.js';
import type { Absent } from '../peers/absent.js';
import { buildahNeeds, openBuildah } from '../peers/buildah.js';
import type { BuilderPeer } from '../peers/builder-peer.js';
import { buildkitNeeds } from '../peers/buildkit.js';
import { dockerNeeds } from '../peers/docker.js';
import { lading } from '../peers/lading.js';
import { grouped } from '../report/numbers.js';
import type { Workbench } from '../workbench.js';

export const ladingBuild = 'lading build';
export const dockerBuild = 'docker build';
export const buildkitBuild = 'buildctl build';
export const buildahBuild = 'buildah build';

/**
 * What lading may take next to BuildKit: next to the one of the machine's Docker, and next to the one that is installed by
 * itself, which may be years newer.
 */
export function besideBuildkit(contender: string, most: number): readonly Limit[] {
  return [dockerBuild, buildkitBuild].map(peer => ({ kind: 'time', contender, of: [peer], most }));
}

/** The builders that work in a daemon. */
export const daemons: ReadonlyArray<{
  readonly name: string;
  readonly needs: readonly string[];
  readonly start: (bench: Workbench) => Promise<BuilderPeer>;
}> = [
  { name: dockerBuild, needs: dockerNeeds, start: bench => bench.docker() },
  { name: buildkitBuild, needs: buildkitNeeds, start: bench => bench.buildkit() },
];

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
  for (const peer of daemons) {
    const missing = bench.programs.missing(peer.needs);
    if (missing.length > 0) contenders.push({ name: peer.name, missing });
    else {
      const daemon = await peer.start(bench);
      const before = first ? () => daemon.forget(image) : undefined;
      contenders.push({ name: peer.name, ...daemon.build(image, folder), before, note: daemon.note });
    }
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
