import * as fs from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FileAccess } from '../../src/build/file-access.js';
import type { RootFileSystem } from '../../src/sandbox/sandbox.js';
import { createRoots } from '../../src/snapshot/create-roots.js';
import type { Roots } from '../../src/snapshot/roots.js';
import { openStore, type Store } from '../../src/store/store.js';
import { TreeEditor } from '../../src/tree/editor.js';
import { lookup } from '../../src/tree/lookup.js';
import type { FileNode, TreeNode } from '../../src/tree/node.js';
import { describeWith, findProgram, patience } from '../support/programs.js';
import { tempDir } from '../support/temp-dir.js';
import { listing, treeOf } from '../support/tree-of.js';
import { diskListing, treeListing } from './disk-tree.js';
import { baseState, clamp, copied, epoch, type Stepped, stepped } from './root-steps.js';
import { runInRoot } from './run-in-root.js';

const user = { uid: 0, gid: 0 };

const files = {
  'bin/tool': 'tool',
  'etc/passwd': 'root:x:0:0::/root:/bin/sh\n',
  'etc/deep/er/file': 'deep',
  'etc/deep/other': 'other',
  'usr/lib/a': 'a',
  'usr/lib/b': 'b',
  link: '-> usr/lib',
};

const metadata = { mode: 0o644, uid: 0, gid: 0, mtime: 0 };

describeWith(['root', 'mount', 'getfattr', 'setcap', 'setpriv', 'perl'], 'roots', () => {
  let store: Store;
  beforeEach(async () => {
    store = await openStore(join(await tempDir(), 'store'), { threads: 0 });
  });
  afterEach(() => store.close());

  const step = (roots: Roots, from: Stepped | { state: Stepped['state'] }, script: string): Promise<Stepped> =>
    stepped(store, roots, from.state, root => runInRoot(root, script));
  const folderOf = (root: RootFileSystem): string => (root.kind === 'directory' ? root.path : root.upper);

  /** What is in the folders that belong to processes at work. */
  const atWork = (): string[] =>
    fs.readdirSync(join(store.root, 'tmp')).flatMap(session => fs.readdirSync(join(store.root, 'tmp', session)));

  for (const kind of ['overlay', 'directory'] as const) {
    const kept = { roots: kind, owners: 'kept' } as const;

    it(`${kind}: run steps on one another`, { timeout: patience }, async () => {
      const roots = createRoots({ store, sandbox: kept });
      let at = await step(roots, { state: await baseState(store, treeOf(files)) }, 'true');
      expect(at.changed).toEqual([]);
      at = await step(
        roots,
        at,
        'echo x > etc/new; rm usr/lib/b; ln -s /nowhere etc/l; mkfifo p; mkdir -m 1777 tmp; mkdir -p empty/x; rm -r empty',
      );
      expect(at.changed).toEqual(['etc', 'etc/l', 'etc/new', 'p', 'tmp', 'usr', 'usr/lib', '- usr/lib/b']);
      at = await step(
        roots,
        at,
        'rm -r etc/deep; mkdir etc/deep; echo n > etc/deep/n; cat etc/new; test ! -e usr/lib/b; chmod 644 etc/passwd',
      );
      expect(at.changed).toEqual(['etc', 'etc/deep', '- etc/deep/er', 'etc/deep/n', '- etc/deep/other']);
      at = await step(
        roots,
        at,
        'ln etc/new hard; chmod 4755 bin/tool; chown 5:6 usr; setcap cap_net_raw+ep usr/lib/a; mv etc/deep deep; mknod null c 1 3',
      );
      expect(at.changed).toEqual([
        ...['bin', 'bin/tool', 'deep', 'deep/n', 'etc', '- etc/deep', 'etc/new', 'hard', 'null', 'usr', 'usr/lib'],
        'usr/lib/a',
      ]);
      expect(listing(at.state.tree)).toMatchInlineSnapshot(`
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
          "null character 644 0:0",
          "p fifo 644 0:0",
          "tmp directory 1777 0:0",
          "usr directory 755 5:6",
          "usr/lib directory 755 0:0",
          "usr/lib/a file 644 0:0 1",
        ]
      `);
      expect(lookup(at.state.tree, 'usr/lib/a')?.node.xattrs).toEqual({
        'security.capability': '\u0001\0\0\u0002\0\u0020\0\0\0\0\0\0\0\0\0\0\0\0\0\0',
      });
      expect(atWork()).toEqual([]);
      // What was kept is what is made of the layers, times and all.
      const expected = await treeListing(at.state.tree, node => new FileAccess(store).digest(node), { times: true });
      await stepped(store, roots, at.state, root =>
        runInRoot(root, 'getcap usr/lib/a | grep -q cap_net_raw', async folder => {
          expect(await diskListing(folder, { times: true })).toEqual(expected);
        }),
      );
    });

    it(`${kind}: leave nothing of a process whose changes are not kept`, async () => {
      const roots = createRoots({ store, sandbox: kept });
      const state = await baseState(store, treeOf(files));
      const root = await roots.open(state);
      await runInRoot(root.root, 'rm -r etc; echo x > new; echo more >> bin/tool; chmod 0 usr');
      await root.close();
      await root.close();
      const again = await stepped(store, roots, state, inside =>
        runInRoot(inside, '', async folder => {
          const digest = (node: FileNode): Promise<string> => new FileAccess(store).digest(node);
          expect(await diskListing(folder)).toEqual(await treeListing(state.tree, digest));
        }),
      );
      expect(again.changed).toEqual([]);
      expect(atWork()).toEqual([]);
    });

    it(`${kind}: bear names of any bytes, and take no socket for a file`, async () => {
      const roots = createRoots({ store, sandbox: kept });
      const start = { state: await baseState(store, treeOf({ 'd\n/f': 'f', 'd\n/g': 'g' })) };
      const root = await roots.open(start.state);
      const server = createServer().listen(join(folderOf(root.root), 'socket'));
      await runInRoot(
        root.root,
        `n="$(printf 'a\\nb\\\\\\377 "')"; echo x > "$n"; setcap cap_chown+p "$n"; d="$(printf 'd\\n_')"; d="\${d%_}"; rm -r "$d"; mkdir "$d"; echo h > "$d/h"`,
      );
      const after = await root.changes({ user });
      server.close();
      expect([...after.children.keys()].sort()).toEqual(['a\nb\\\udcff "', 'd\n']);
      expect(Object.keys(after.children.get('a\nb\\\udcff "')!.xattrs ?? {})).toEqual(['security.capability']);
      expect([...(after.children.get('d\n') as TreeNode & { type: 'directory' }).children.keys()]).toEqual(['h']);
      const next = await copied(store, start.state, after);
      await root.keep(next);
      await root.close();
      expect((await step(roots, { state: next }, 'test ! -e socket')).changed).toEqual([]);
    });

    it(`${kind}: read what lies deeper than a path can say, or refuse it`, async () => {
      const roots = createRoots({ store, sandbox: kept });
      const state = await baseState(store, treeOf(files));
      const down = (levels: number): string =>
        `perl -e 'my $n = "n" x 200; for (1..${levels}) { mkdir $n; chdir $n or die } open(F, ">f"); print F "x"'`;
      const deep = await step(roots, { state }, down(20));
      expect(deep.changed).toHaveLength(21);
      expect((await step(roots, deep, 'true')).changed).toEqual([]);
      const root = await roots.open(state);
      await runInRoot(root.root, down(25));
      await expect(root.changes({ user })).rejects.toMatchObject({ code: 'PATH_INVALID' });
      await root.close();
      expect(atWork()).toEqual([]);
    });

    it(`${kind}: take what COPY has put between`, async () => {
      const roots = createRoots({ store, sandbox: kept });
      let at: { state: Stepped['state'] } = { state: await baseState(store, treeOf(files)) };
      at = await step(roots, at, 'echo 1 > one');
      const editor = new TreeEditor(at.state.tree);
      const bytes = Buffer.from('copied');
      editor.set('etc/passwd', { type: 'file', ...metadata, size: 6, content: { kind: 'bytes', bytes } });
      editor.set('usr/lib/link', { type: 'symlink', ...metadata, mode: 0o777, target: 'a' });
      at = { state: await copied(store, at.state, editor.root) };
      at = await step(roots, at, 'test "$(cat etc/passwd)" = copied; test "$(cat usr/lib/link)" = a; test -e one');
      const less = new TreeEditor(at.state.tree);
      less.remove('usr/lib/a');
      less.remove('etc/deep');
      at = { state: await copied(store, at.state, less.root) };
      at = await step(roots, at, 'test ! -e usr/lib/a; test ! -e etc/deep; test -e usr/lib/b; test "$(cat one)" = 1');
    });

    it(`${kind}: are made anew where something of them is gone`, async () => {
      const roots = createRoots({ store, sandbox: kept });
      const at = await step(roots, { state: await baseState(store, treeOf(files)) }, 'echo 1 > one');
      for (const name of fs.readdirSync(join(store.root, 'snapshots'))) {
        const about = JSON.parse(fs.readFileSync(join(store.root, 'snapshots', name, 'about'), 'utf8'));
        if (about.below.length === 0) fs.rmSync(join(store.root, 'snapshots', name), { recursive: true });
      }
      for (let i = 0; i < 2; i++) {
        expect((await step(roots, at, 'test "$(cat one)" = 1; test "$(cat bin/tool)" = tool')).changed).toEqual([]);
      }
      expect((await store.check()).problems).toEqual([]);
      await store.close();
      await store.prune({ all: true, cache: true });
      expect(fs.readdirSync(join(store.root, 'snapshots'))).toEqual([]);
    });

    it(`${kind}: are not trusted when the machine was started again`, async () => {
      const roots = createRoots({ store, sandbox: kept });
      const at = await step(roots, { state: await baseState(store, treeOf(files)) }, 'echo 1 > one');
      const shelf = join(store.root, 'snapshots');
      for (const name of fs.readdirSync(shelf)) {
        const about = join(shelf, name, 'about');
        fs.writeFileSync(about, JSON.stringify({ ...JSON.parse(fs.readFileSync(about, 'utf8')), boot: 'before' }));
        // What a power cut may leave of files that were never flushed.
        for (const file of ['one', 'bin/tool']) {
          const path = join(shelf, name, 'root', file);
          if (fs.existsSync(path)) fs.truncateSync(path);
        }
      }
      for (let i = 0; i < 2; i++) {
        expect((await step(roots, at, 'test "$(cat one)" = 1; test "$(cat bin/tool)" = tool')).changed).toEqual([]);
      }
    });

    it(`${kind}: can be opened many at a time`, { timeout: patience }, async () => {
      const roots = createRoots({ store, sandbox: kept });
      const other = createRoots({ store, sandbox: kept });
      const state = await baseState(store, treeOf(files));
      const steps = await Promise.all(
        Array.from({ length: 6 }, (_, i) => step(i % 2 ? roots : other, { state }, `echo ${i} > n; cat bin/tool`)),
      );
      expect(new Set(steps.map(({ state }) => state.layers[1]!.diffId)).size).toBe(6);
      for (const at of steps) expect((await step(roots, at, 'cat n etc/passwd')).changed).toEqual([]);
    });

    it(`${kind}: hold no device and no way out of a hostile image`, async () => {
      const roots = createRoots({ store, sandbox: kept });
      const outside = await tempDir();
      const tree = new TreeEditor(treeOf({ 'd/x': 'x', up: `-> ${outside}`, 'a b/s': 's' }));
      tree.set('d/disk', { type: 'block', ...metadata, mode: 0o666, major: 8, minor: 0 });
      tree.set('d/mem', { type: 'character', ...metadata, mode: 0o666, major: 1, minor: 1 });
      tree.set('a b/s', { ...(tree.get('a b/s') as FileNode), mode: 0o4755 });
      const state = await baseState(store, tree.root);
      const root = await roots.open(state);
      const place = root.root.kind === 'directory' ? root.root.path : root.root.lower.at(-1)!;
      expect(fs.readdirSync(join(place, 'd'))).toEqual(['x']);
      // Nobody else gets to files with setuid.
      for (const folder of [dirname(place), join(store.root, 'snapshots')]) {
        expect(fs.statSync(folder).mode & 0o777).toBe(0o700);
      }
      expect(fs.readdirSync(outside)).toEqual([]);
      await runInRoot(root.root, 'echo y > d/x');
      const after = await root.changes({ user });
      await root.close();
      // Unseen by the process, and untouched by it.
      expect(lookup(after, 'd/disk')?.node).toBe(lookup(state.tree, 'd/disk')?.node);
      const gone = await step(roots, { state }, 'rm -r d');
      expect(gone.changed).toEqual(kind === 'overlay' ? ['- d'] : ['- d']);
    });

    it.skipIf(findProgram('tar') === undefined)(
      `${kind}: find attributes with tar, where there is no getfattr`,
      async () => {
        const bin = await tempDir();
        for (const program of ['tar', 'setfattr']) fs.symlinkSync(findProgram(program)!, join(bin, program));
        const roots = createRoots({ store, sandbox: kept, env: { PATH: bin } });
        const at = await step(
          roots,
          { state: await baseState(store, treeOf(files)) },
          'rm -r etc/deep; mkdir etc/deep; setcap cap_net_raw+ep bin/tool',
        );
        expect(at.changed).toEqual(['bin', 'bin/tool', 'etc', 'etc/deep', '- etc/deep/er', '- etc/deep/other']);
        const bare = createRoots({ store, sandbox: kept, env: { PATH: await tempDir() } });
        const root = await bare.open(at.state).catch(error => error);
        if (kind === 'overlay') {
          await runInRoot(root.root, 'echo x >> bin/tool; rm -r etc/deep; mkdir etc/deep');
          await expect(root.changes({ user })).rejects.toMatchObject({ code: 'PROGRAM_MISSING' });
          await root.close();
        }
      },
    );
  }

  it('make of many steps one folder again', { timeout: patience }, async () => {
    const roots = createRoots({ store, sandbox: { roots: 'overlay', owners: 'kept' } });
    let at: { state: Stepped['state'] } = { state: await baseState(store, treeOf(files)) };
    let deepest = 0;
    for (let i = 0; i < 60; i++) {
      at = await stepped(store, roots, at.state, async root => {
        if (root.kind !== 'overlay') throw new Error('not an overlay');
        expect(root.lower.join(':').length).toBeLessThan(3700);
        deepest = Math.max(deepest, root.lower.length);
        fs.writeFileSync(join(root.upper, `f${i}`), `${i}`);
      });
    }
    expect(deepest).toBeGreaterThan(10);
    expect((await step(roots, at, 'for i in $(seq 0 59); do test "$(cat f$i)" = $i; done')).changed).toEqual([]);
  });

  it('give what belongs to nobody else on the disk the owners that were recorded', async () => {
    const roots = createRoots({ store, sandbox: { roots: 'directory', owners: 'recorded' } });
    const tree = new TreeEditor(treeOf(files));
    tree.set('etc/passwd', { ...(tree.get('etc/passwd') as FileNode), uid: 7, gid: 8, mode: 0 });
    tree.set('usr/lib/a', { ...(tree.get('usr/lib/a') as FileNode), xattrs: { 'security.capability': 'v' } });
    tree.set('usr/lib/b', { ...(tree.get('usr/lib/b') as FileNode), xattrs: { 'security.capability': 'v' } });
    tree.set('etc/deep', { ...(tree.get('etc/deep') as TreeNode & { type: 'directory' }), gid: 9, mode: 0o2500 });
    let state = await baseState(store, tree.root);
    const script =
      'echo more >> etc/passwd; echo n > etc/deep/n; echo o > o; ln o o2; mkdir -m 0 closed; echo x > closed/f; chmod 0 closed/f; chmod 711 usr/lib/a; echo x >> usr/lib/b; touch etc/deep/other';
    const owners = new Map([
      ['o2', { uid: 3, gid: 4 }],
      ['etc/deep/er', { uid: 5, gid: 5 }],
      ['usr', { uid: 6, gid: 6 }],
    ]);
    const root = await roots.open(state);
    await runInRoot(root.root, `${script}; chown 1:1 usr/lib/a`);
    const after = await root.changes({ user: { uid: 11, gid: 12 }, owners }, { clamp });
    const owner = (path: string): string => {
      const { uid, gid, mode, mtime } = lookup(after, path, { follow: false })!.node;
      expect(mtime).toBeLessThanOrEqual(epoch);
      return `${uid}:${gid} ${mode.toString(8)}`;
    };
    expect(owner('etc/passwd')).toBe('7:8 0');
    expect(owner('etc/deep/n')).toBe('11:9 644');
    expect(owner('etc/deep')).toBe('0:9 2500');
    expect(owner('o')).toBe('3:4 644');
    expect(lookup(after, 'o')!.node).toBe(lookup(after, 'o2')!.node);
    expect(owner('closed')).toBe('11:12 0');
    expect(owner('closed/f')).toBe('11:12 0');
    // As the kernel has it: a change of content takes capabilities away, a change of mode does not.
    expect(lookup(after, 'usr/lib/a')!.node.xattrs).toEqual({ 'security.capability': 'v' });
    expect(lookup(after, 'usr/lib/b')!.node.xattrs).toBeUndefined();
    const next = await copied(store, state, after);
    await root.keep(next);
    await root.close();
    state = next;
    expect((await stepped(store, roots, state, async () => {})).changed).toEqual([]);
  });

  it('are made, read and deleted by a user without any privilege', async () => {
    const uid = 65_534;
    const place = await tempDir();
    fs.chownSync(place, uid, uid);
    process.setegid!(uid);
    process.seteuid!(uid);
    try {
      const own = await openStore(join(place, 'store'), { threads: 0 });
      const tree = new TreeEditor(treeOf({ ...files, 'closed/in/f': 'x', secret: 'secret' }));
      for (const path of ['closed', 'closed/in']) {
        tree.set(path, { ...(tree.get(path) as TreeNode & { type: 'directory' }), mode: 0, uid: 5 });
      }
      for (const path of ['secret', 'closed/in/f'])
        tree.set(path, { ...(tree.get(path) as FileNode), mode: 0, uid: 5 });
      const roots = createRoots({ store: own, sandbox: { roots: 'directory', owners: 'recorded' } });
      const state = await baseState(own, tree.root);
      const at = await stepped(own, roots, state, root =>
        runInRoot(
          root,
          'echo x >> etc/passwd; mkdir shut; echo y > shut/f; chmod 0 shut/f shut; chmod 0 usr/lib; chmod 200 secret',
        ),
      );
      expect(at.changed).toEqual(['etc', 'etc/passwd', 'secret', 'shut', 'shut/f', 'usr', 'usr/lib']);
      const shown = listing(at.state.tree).filter(line => /^(closed|secret|shut|usr)/.test(line));
      expect(shown).toMatchInlineSnapshot(`
        [
          "closed directory 0 5:0",
          "closed/in directory 0 5:0",
          "closed/in/f file 0 5:0 1",
          "secret file 200 5:0 6",
          "shut directory 0 0:0",
          "shut/f file 0 0:0 2",
          "usr directory 755 0:0",
          "usr/lib directory 0 0:0",
          "usr/lib/a file 644 0:0 1",
          "usr/lib/b file 644 0:0 1",
        ]
      `);
      expect((await stepped(own, roots, at.state, async () => {})).changed).toEqual([]);
      // Taken back to where it was, by somebody who may not enter all of it.
      expect(
        (await stepped(own, roots, state, root => runInRoot(root, 'cat closed/in/f usr/lib/a secret'))).changed,
      ).toEqual([]);
      await own.close();
      await own.prune({ all: true, cache: true });
      expect(fs.readdirSync(join(place, 'store/snapshots'))).toEqual([]);
    } finally {
      process.seteuid!(0);
      process.setegid!(0);
    }
  });

  it('write a tree into a folder', async () => {
    const roots = createRoots({ store, sandbox: { roots: 'overlay', owners: 'kept' } });
    const folder = join(await tempDir(), 'folder');
    await roots.materialise(treeOf(files), folder);
    expect(fs.readFileSync(join(folder, 'etc/deep/er/file'), 'utf8')).toBe('deep');
  });
});
