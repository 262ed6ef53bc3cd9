import type { Contender } from '../measure.js';
import type { Workbench } from '../workbench.js';
import { skopeoCopy } from './skopeo.js';

export const umociNeeds = ['umoci', 'skopeo', 'docker-registry', 'root'];

/** Puts a folder into an image as one more layer: no Dockerfile and no cache, but the same bytes to read and to pack. */
export async function umociInsert(bench: Workbench, name: string, folder: string, work: string): Promise<Contender> {
  const base = await bench.base();
  const [kept, layout] = [`${work}/kept`, `${work}/layout`];
  await bench.run(['mkdir', '-p', work]);
  await bench.run(skopeoCopy(bench, `docker://${base.name}`, `oci:${kept}:base`));
  const image = ['--image', `${layout}:base`, '--tag', 'app'];
  return {
    name,
    argv: [bench.programs.path('umoci'), 'insert', ...image, folder, '/app'],
    before: () => bench.restore(kept, layout),
  };
}
