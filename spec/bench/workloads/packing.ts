import { compare } from '../compare.js';
import type { Context } from '../context/context.js';
import type { Contender } from '../measure.js';
import type { Absent } from '../peers/absent.js';
import { lading, verify } from '../peers/lading.js';
import { tarPigz, tarPigzName } from '../peers/tar-pigz.js';
import type { Comparison } from '../section.js';
import type { Workbench } from '../workbench.js';
import { readAll, sizeText } from './app-contenders.js';
import type { Workload } from './workload.js';

/** What lading may take of the time that tar and pigz take, by level. */
const levels = [
  { level: 6, most: 0.85 },
  { level: 1, most: 0.9 },
] as const;

export const packing: Workload = {
  name: 'packing',
  summary: 'the same build beside tar and pigz at the same level',
  run: async bench => {
    const app = await bench.app();
    await readAll(bench, app.folder);
    const sections: Comparison[] = [];
    for (const { level, most } of levels) sections.push(await packAt(bench, app, level, most));
    return sections;
  },
};

async function packAt(bench: Workbench, app: Context, level: number, most: number): Promise<Comparison> {
  const base = await bench.base();
  const store = bench.path('packing-store');
  const image = `${base.host}/apps/packed:1`;
  const ours: Contender = {
    name: `lading build --compression-level ${level}`,
    argv: lading('build', '-q', '--compression-level', String(level), '--root', store, '-t', image, app.folder),
    before: () => bench.restore(base.store, store),
  };
  const missing = bench.programs.missing(['pigz']);
  const name = tarPigzName(level);
  const peer: Contender | Absent = missing.length > 0 ? { name, missing } : tarPigz(bench, app.folder, level);
  const section = await compare(bench, {
    name: 'packing',
    title: `First build at level ${level} (${sizeText(app)})`,
    contenders: [ours, peer],
    limits: [{ kind: 'time', contender: ours.name, of: [name], most }],
  });
  await verify(bench, store, image);
  await bench.remove(store);
  return section;
}
