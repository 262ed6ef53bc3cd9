import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FileAccess } from '../../src/build/file-access.js';
import { layersOfImage } from '../../src/build/stage-files.js';
import { openImage } from '../../src/image/image.js';
import { treeOfLayers } from '../../src/layer/tree-of-layers.js';
import { createRoots } from '../../src/snapshot/create-roots.js';
import type { RootState } from '../../src/snapshot/roots.js';
import { openStore } from '../../src/store/store.js';
import type { FileNode } from '../../src/tree/node.js';
import { built, writeFiles } from '../support/building.js';
import { debianBase, debianBasePrograms } from '../support/debian-base.js';
import { describeWith, patience } from '../support/programs.js';
import { tempDir } from '../support/temp-dir.js';
import { diskListing, treeListing } from './disk-tree.js';
import { stepped } from './root-steps.js';
import { runInRoot } from './run-in-root.js';

/** What installers do to a root, without one. Nothing is done in place to a file of several names: overlays part those. */
const storms = [
  // A package manager: many new files, some replaced by renaming, lists written anew.
  `for d in etc usr/share/perl5 usr/lib/x86_64-linux-gnu/perl-base; do
     [ -d $d ] && cp -a $d copied-$(echo $d | tr / -); done
   find etc -type f -links 1 | sort | head -n 200 | while read -r f; do cp -p "$f" "$f.dpkg-new"; echo >> "$f.dpkg-new"; mv "$f.dpkg-new" "$f"; done
   for i in $(seq 1 2000); do echo "$i" > usr/share/f$i; done
   find var/lib/dpkg -type f -links 1 -name 'status*' -exec sh -c 'echo >> "$1"' sh {} \\;`,
  // Owners and modes, users, links.
  `find usr/share -maxdepth 1 -name 'f1*' -exec chown 1000:1000 {} +
   chmod 4755 usr/share/f1; chmod 1777 usr/share; ln usr/share/f2 usr/share/g2; ln -s f3 usr/share/g3
   echo app:x:1001:1001::/home/app:/bin/sh >> etc/passwd; mkdir -p -m 750 home/app; chown 1001:1001 home/app
   setcap cap_net_bind_service+ep usr/share/f4`,
  // Cleaning up.
  `rm -rf copied-* usr/share/f1??? var/cache/* var/lib/apt/lists/*; find usr/share -maxdepth 1 -name 'f2*' -delete
   rm -r etc/alternatives; mkdir etc/alternatives; mv home/app home/service`,
];

describeWith([...debianBasePrograms, 'mount', 'getfattr', 'setcap'], 'roots of a real Debian', () => {
  it('hold what installers do to them, and give the same layers in an overlay and in a folder', {
    timeout: 2 * patience,
  }, async () => {
    const base = await debianBase();
    const place = await tempDir();
    const context = writeFiles(join(place, 'context'), { Dockerfile: 'FROM debian\n' });
    mkdirSync(join(place, 'store'));
    const store = await openStore(join(place, 'store'));
    const { images } = await built(place, context, {
      store,
      buildContexts: { debian: `oci-layout://${base.layout}:debian` },
    });
    const layers = layersOfImage(await openImage(store, images[0]!.descriptor));
    const start: RootState = { layers, baseLayers: layers.length, tree: await treeOfLayers(layers, store) };
    const digest = (node: FileNode): Promise<string> => new FileAccess(store).digest(node);
    const digests: string[][] = [];
    for (const kind of ['overlay', 'directory'] as const) {
      const roots = createRoots({ store, sandbox: { roots: kind, owners: 'kept' } });
      let state = start;
      for (const storm of storms) {
        let disk: string[] = [];
        ({ state } = await stepped(store, roots, state, root =>
          runInRoot(root, storm, async folder => {
            disk = await diskListing(folder);
          }),
        ));
        // Devices of the base are in the tree alone.
        expect((await treeListing(state.tree, digest)).filter(line => !line.endsWith(' device'))).toEqual(disk);
      }
      digests.push(state.layers.slice(layers.length).map(({ diffId }) => diffId));
    }
    expect(digests[1]).toEqual(digests[0]);
    await store.close();
  });
});
