import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FileAccess } from '../../src/build/file-access.js';
import { diffTrees } from '../../src/layer/diff.js';
import { emptyRoot, treeOfLayers } from '../../src/layer/tree-of-layers.js';
import { createRoots } from '../../src/snapshot/create-roots.js';
import type { RootState, Roots } from '../../src/snapshot/roots.js';
import { openStore, type Store } from '../../src/store/store.js';
import { describeWith, patience } from '../support/programs.js';
import { seededRandom } from '../support/random-image.js';
import { tempDir } from '../support/temp-dir.js';
import { treeOf } from '../support/tree-of.js';
import { diskListing, treeListing } from './disk-tree.js';
import { runInRoot } from './run-in-root.js';

const user = { uid: 0, gid: 0 };
const epoch = 946_684_800;
const clamp = (mtime: number): number => Math.min(mtime, epoch);

const names = [
  'a',
  'b',
  'c',
  'd/a',
  'd/b',
  'd/e/a',
  'd/e/b',
  'f/a',
  'f/b',
  'f/g/h/i',
  'q\' "\\n',
  'd/e',
  'f',
  'new/x/y',
];

/**
 * A script of random changes. Where one file has several names in the layers below, nothing is done to it in place: an
 * overlay parts such names, as it does under Docker.
 */
function randomScript(random: () => number, commands: number): string {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  const quoted = (path: string): string => `'${path.replaceAll("'", "'\\''")}'`;
  const lines = [
    'folder() { [ -d "$1" ] && [ ! -L "$1" ]; }',
    'none() { [ ! -e "$1" ] && [ ! -L "$1" ]; }',
    // Writing to a FIFO would wait for a reader.
    'one() { for p in "$@"; do [ ! -p "$p" ] && { none "$p" || folder "$p" || [ "$(stat -c %h "$p")" = 1 ]; } || return 1; done; }',
    'whole() { one "$1" && [ -z "$(find "$1" ! -type d -links +1 2>/dev/null | head -n 1)" ]; }',
    'parent() { mkdir -p "$(dirname "$1")" 2>/dev/null; }',
  ];
  for (let i = 0; i < commands; i++) {
    const path = quoted(pick(names));
    const other = quoted(pick(names));
    lines.push(
      `{ ${pick([
        `parent ${path} && one ${path} && echo ${i} > ${path}`,
        `one ${path} && echo more >> ${path}`,
        `rm -rf ${path}`,
        `rm -rf ${path} && parent ${path} && mkdir ${path} && echo again > ${path}/a`,
        `mkdir -p ${path}`,
        `whole ${path} && mv ${path} ${other}`,
        `whole ${path} && one ${path} && ln ${path} ${other}`,
        `ln -sfn ../${i} ${path}`,
        `one ${path} && [ ! -L ${path} ] && chmod ${pick(['600', '4755', '1777', '0'])} ${path}`,
        `one ${path} && chown -h ${i}:${i} ${path}`,
        `one ${path} && touch -h -d @${pick([1, 1_000_000, 2_000_000_000])} ${path}`,
        `one ${path} && [ -f ${path} ] && [ ! -L ${path} ] && cp -p ${path} t && mv t ${path}`,
        `mkfifo ${path}`,
      ])}; } 2>/dev/null || true`,
    );
  }
  return lines.join('\n');
}

describeWith(['root', 'mount', 'getfattr'], 'random changes', () => {
  const base = treeOf({
    a: 'a',
    b: '-> a',
    'd/a': 'da',
    'd/b': 'db',
    'd/e/a': 'dea',
    'd/e/b': 'deb',
    'f/a': 'fa',
    'f/g/h/i': 'i',
  });

  async function opened(): Promise<{ store: Store; state: RootState; digest: (node: never) => Promise<string> }> {
    const store = await openStore(join(await tempDir(), 'store'), { threads: 0 });
    const { layer } = await store.packLayer(diffTrees(emptyRoot, base));
    const files = new FileAccess(store);
    return {
      store,
      state: { layers: [layer], baseLayers: 1, tree: await treeOfLayers([layer], store) },
      digest: node => files.digest(node),
    };
  }

  it.each(Array.from({ length: 8 }, (_, i) => i + 1))(
    '%i give the same in an overlay and in a folder',
    { timeout: patience },
    async seed => {
      const digests: Record<string, string[]> = {};
      for (const kind of ['overlay', 'directory'] as const) {
        const random = seededRandom(seed);
        const place = await opened();
        const { store, digest } = place;
        let { state } = place;
        let roots: Roots = createRoots({ store, sandbox: { roots: kind, owners: 'kept' } });
        for (let step = 0; step < 3; step++) {
          const root = await roots.open(state);
          let disk: string[] = [];
          await runInRoot(root.root, randomScript(random, 15), async merged => {
            disk = await diskListing(merged);
          });
          const after = await root.changes({ user }, { clamp });
          expect(await treeListing(after, digest as never)).toEqual(disk);
          const { layer } = await store.packLayer(diffTrees(state.tree, after));
          const tree = await treeOfLayers([layer], store, { root: state.tree });
          expect(await treeListing(tree, digest as never, { times: true })).toEqual(
            await treeListing(after, digest as never, { times: true }),
          );
          const next = { ...state, layers: [...state.layers, layer], tree };
          await root.keep(next);
          await root.close();
          state = next;
          // What is kept is what would be made of the layers.
          if (step === 0) roots = createRoots({ store, sandbox: { roots: kind, owners: 'kept' } });
          if (step === 1) await rm(join(store.root, 'snapshots'), { recursive: true });
          const again = await roots.open(state);
          await runInRoot(again.root, '', async merged => {
            const expected = await treeListing(tree, digest as never, { times: true });
            expect(await diskListing(merged, { times: true })).toEqual(expected);
          });
          await again.close();
        }
        digests[kind] = state.layers.map(({ diffId }) => diffId);
        await store.close();
      }
      expect(digests['directory']).toEqual(digests['overlay']);
    },
  );
});
