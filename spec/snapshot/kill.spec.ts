import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { FileAccess } from '../../src/build/file-access.js';
import { treeOfLayers } from '../../src/layer/tree-of-layers.js';
import { createRoots } from '../../src/snapshot/create-roots.js';
import { openStore } from '../../src/store/store.js';
import { startChild } from '../store/start-child.js';
import { describeWith, patience } from '../support/programs.js';
import { seededRandom } from '../support/random-image.js';
import { tempDir } from '../support/temp-dir.js';
import { treeOf } from '../support/tree-of.js';
import { diskListing, treeListing } from './disk-tree.js';
import { baseState } from './root-steps.js';
import { runInRoot } from './run-in-root.js';

const kills = 10;

describeWith(['root', 'mount', 'getfattr'], 'roots whose users are killed', () => {
  it.each(['overlay', 'directory'] as const)(
    `are whole or not there: %s, ${kills} kills`,
    { timeout: patience },
    async kind => {
      const place = join(await tempDir(), 'store');
      const store = await openStore(place);
      const files = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`d/f${i}`, `content ${i}`]));
      const { layers } = await baseState(store, treeOf({ ...files, n0: 'base' }));
      // Kept by a record: nothing else names it.
      await store.putRecord('ba5e', { body: Buffer.from('base'), blobs: [layers[0]!.blob.digest] });
      await store.close();
      const random = seededRandom(kind.length);
      for (let kill = 0; kill < kills; kill++) {
        const args = [place, kind, JSON.stringify(layers[0])];
        const entry = new URL('root-child.ts', import.meta.url);
        const children = [await startChild(args, { entry }), await startChild(args, { entry })];
        await Promise.race(children.map(child => child.working));
        await delay(random() * 200);
        for (const child of children) child.process.kill('SIGKILL');
        for (const child of children) expect(await child.ended).toEqual({ code: 'SIGKILL', stderr: '' });
        const fresh = await openStore(place);
        expect((await fresh.check()).problems).toEqual([]);
        const lease = await fresh.lease();
        const tree = await treeOfLayers(layers, fresh);
        const roots = createRoots({ store: fresh, sandbox: { roots: kind, owners: 'kept' } });
        const root = await roots.open({ layers, baseLayers: 1, tree });
        const expected = await treeListing(tree, node => new FileAccess(fresh).digest(node), { times: true });
        await runInRoot(root.root, '', async folder => {
          expect(await diskListing(folder, { times: true })).toEqual(expected);
        });
        await root.close();
        await lease.release();
        await fresh.close();
      }
      const last = await openStore(place);
      await last.prune({ all: true, cache: true });
      expect(readdirSync(join(place, 'snapshots'))).toEqual([]);
      expect(readdirSync(join(place, 'tmp'))).toEqual([]);
      await last.close();
    },
  );
});
