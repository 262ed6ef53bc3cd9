import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { diffTrees } from '../../src/layer/diff.js';
import { emptyRoot, treeOfLayers } from '../../src/layer/tree-of-layers.js';
import { createRoots } from '../../src/snapshot/create-roots.js';
import type { RootState, Roots } from '../../src/snapshot/roots.js';
import { openStore, type Store } from '../../src/store/store.js';
import type { DirectoryNode } from '../../src/tree/node.js';
import { describeWith } from '../support/programs.js';
import { tempDir } from '../support/temp-dir.js';
import { listing, treeOf } from '../support/tree-of.js';
import { runInRoot } from './run-in-root.js';

const user = { uid: 0, gid: 0 };
const epoch = 946_684_800;
const clamp = (mtime: number): number => Math.min(mtime, epoch);

const files = {
  'bin/tool': 'tool',
  'etc/passwd': 'root:x:0:0::/root:/bin/sh\n',
  'etc/deep/er/file': 'deep',
  'etc/deep/other': 'other',
  'usr/lib/a': 'a',
  'usr/lib/b': 'b',
  link: '-> usr/lib',
};

describeWith(['root', 'mount', 'getfattr', 'setcap'], 'roots', () => {
  let store: Store;
  beforeEach(async () => {
    store = await openStore(join(await tempDir(), 'store'), { threads: 0 });
  });
  afterEach(() => store.close());

  async function base(tree: DirectoryNode = treeOf(files)): Promise<RootState> {
    const layer = await store.packLayer(diffTrees(emptyRoot, tree), {});
    return { layers: [layer], baseLayers: 1, tree: await treeOfLayers([layer], store) };
  }

  /** Runs a script on a state as a build does, and gives the next state. */
  async function step(
    roots: Roots,
    state: RootState,
    script: string,
  ): Promise<{ state: RootState; changed: string[] }> {
    const root = await roots.open(state);
    try {
      await runInRoot(root.root, script);
      const after = await root.changes({ user }, { clamp });
      const entries = [...diffTrees(state.tree, after)];
      const layer = await store.packLayer(entries, {});
      const next: RootState = {
        layers: [...state.layers, layer],
        baseLayers: state.baseLayers,
        tree: await treeOfLayers([layer], store, { root: state.tree }),
      };
      expect(listing(next.tree)).toEqual(listing(after));
      await root.keep(next);
      return { state: next, changed: entries.map(entry => ('whiteout' in entry ? `- ${entry.path}` : entry.path)) };
    } finally {
      await root.close();
    }
  }

  for (const kind of ['overlay', 'directory'] as const) {
    it(`${kind}: runs steps on one another`, async () => {
      const roots = createRoots({ store, sandbox: { roots: kind, owners: 'kept' } });
      let { state, changed } = await step(roots, await base(), 'true');
      expect(changed).toEqual([]);
      ({ state, changed } = await step(
        roots,
        state,
        'echo x > etc/new; rm usr/lib/b; ln -s /nowhere etc/l; mkfifo p; mkdir -m 1777 tmp',
      ));
      expect(changed).toEqual(['etc', 'etc/l', 'etc/new', 'p', 'tmp', 'usr', 'usr/lib', '- usr/lib/b']);
      ({ state, changed } = await step(
        roots,
        state,
        'rm -r etc/deep; mkdir etc/deep; echo n > etc/deep/n; cat etc/new; test ! -e usr/lib/b',
      ));
      expect(changed).toEqual(['etc', 'etc/deep', '- etc/deep/er', 'etc/deep/n', '- etc/deep/other']);
      ({ state, changed } = await step(
        roots,
        state,
        'ln etc/new hard; chmod 4755 bin/tool; chown 5:6 usr; setcap cap_net_raw+ep usr/lib/a; mv etc/deep deep',
      ));
      expect(changed).toEqual([
        'bin',
        'bin/tool',
        'deep',
        'deep/n',
        'etc',
        '- etc/deep',
        'etc/new',
        'hard',
        'usr',
        'usr/lib',
        'usr/lib/a',
      ]);
      expect(listing(state.tree)).toMatchInlineSnapshot(`
        [
          "bin directory 755 0:0",
          "bin/tool file 4755 0:0 4",
          "deep directory 755 0:0",
          "deep/n file 644 0:0 2",
          "etc directory 755 0:0",
          "etc/l symlink 777 0:0 -> /nowhere",
          "etc/new file 644 0:0 2",
          "etc/passwd file 644 0:0 26",
          "hard = etc/new",
          "link symlink 777 0:0 -> usr/lib",
          "p fifo 644 0:0",
          "tmp directory 1777 0:0",
          "usr directory 755 5:6",
          "usr/lib directory 755 0:0",
          "usr/lib/a file 644 0:0 1",
        ]
      `);
      expect(
        readdirSync(join(store.root, 'tmp'), { recursive: true }).filter(name => String(name).includes('/')),
      ).toEqual([]);
    });
  }
});
