/** A process that makes roots, changes them and keeps them until it is killed: see `kill.spec.ts`. */
import { randomInt } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv, stdout } from 'node:process';
import { treeOfLayers } from '../../src/layer/tree-of-layers.js';
import { createRoots } from '../../src/snapshot/create-roots.js';
import type { RootState } from '../../src/snapshot/roots.js';
import { openStore } from '../../src/store/store.js';
import { stepped } from './root-steps.js';

const [, , place, kind, base] = argv as unknown as [string, string, string, 'overlay' | 'directory', string];

for (let round = 0; ; round++) {
  const store = await openStore(place);
  const lease = await store.lease();
  const layers = [JSON.parse(base)];
  let state: RootState = { layers, baseLayers: 1, tree: await treeOfLayers(layers, store) };
  const roots = createRoots({ store, sandbox: { roots: kind, owners: 'kept' } });
  for (let step = 0; step < 3; step++) {
    ({ state } = await stepped(store, roots, state, async root => {
      const folder = root.kind === 'directory' ? root.path : root.upper;
      writeFileSync(join(folder, `n${randomInt(3)}`), `${randomInt(3)}`);
      if (root.kind === 'directory') rmSync(join(folder, `d/f${randomInt(100)}`), { force: true });
      if (randomInt(4) === 0) throw new Error('failed');
    }).catch(() => ({ state })));
  }
  await lease.release();
  await store.close();
  if (round % 3 === 2) await store.prune();
  if (round === 0) stdout.write('working\n');
}
