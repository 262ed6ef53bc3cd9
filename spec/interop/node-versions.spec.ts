import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findProgram, patience, runProgram } from '../support/programs.js';
import { ladingBin } from './lading.js';
import { installNodes, type NodeVersion, nodeVersions } from './node-versions.js';

const work = await mkdtemp(join(tmpdir(), 'lading-node-versions-'));
const nodes = new Map<string, NodeVersion>();
let absent = '';
try {
  for (const node of await installNodes(join(work, 'nodes'))) nodes.set(node.version, node);
} catch (error) {
  absent = `Node ${nodeVersions.join(', ')} cannot be had from npm: ${String(error).slice(0, 500)}`;
}
for (const program of ['zstd', 'skopeo']) {
  if (findProgram(program) === undefined) absent ||= `not installed here: ${program}`;
}
if (absent !== '') process.stderr.write(`skipped: versions of Node: ${absent}\n`);

afterAll(() => rm(work, { recursive: true, force: true }), patience);

/** Where versions are missing there is nothing to compare: that is a failure where nothing may be skipped. */
it.runIf(absent !== '' && process.env['CI'] === 'true')('needs other versions of Node', () => {
  throw new Error(absent);
});

const hasZstd = (version: string): boolean => {
  const [major, minor] = version.split('.').map(Number) as [number, number];
  return major > 22 || (major === 22 && minor >= 15);
};

const settings = ['none', 'gzip:1', 'gzip:6', 'gzip:9', 'zstd:3', 'zstd:19'] as const;
type Setting = (typeof settings)[number];

describe.skipIf(absent !== '')('versions of Node', { timeout: patience }, () => {
  const context = join(work, 'context');
  const changed = join(work, 'changed');

  beforeAll(async () => {
    await writeContext(context, 'first');
    await writeContext(changed, 'second');
  });

  interface Built {
    readonly digest: string;
    readonly diffIds: readonly string[];
    readonly layers: ReadonlyArray<{ readonly mediaType: string; readonly digest: string }>;
  }

  const lading = (version: string, root: string, args: readonly string[], mayFail = false) =>
    runProgram(nodes.get(version)!.program, [ladingBin, ...args], { env: { LADING_ROOT: root }, mayFail });

  async function build(version: string, root: string, setting: Setting, folder = context): Promise<Built> {
    await lading(version, root, ['build', '--quiet', '--offline', '--compression', setting, '--tag', 'built', folder]);
    const { stdout } = await lading(version, root, ['inspect', '--verify', '--json', 'built']);
    const { descriptor, manifest, config } = JSON.parse(stdout);
    return { digest: descriptor.digest, diffIds: config.rootfs.diff_ids, layers: manifest.layers };
  }

  const fresh = new Map<string, Promise<Built>>();
  /** A build in an empty store, done once. */
  function freshly(version: string, setting: Setting, folder = context): Promise<Built> {
    const key = [version, setting, folder].join();
    const known = fresh.get(key) ?? mkdtemp(join(work, 'store-')).then(root => build(version, root, setting, folder));
    fresh.set(key, known);
    return known;
  }

  const able = (setting: Setting): string[] =>
    nodeVersions.filter(version => !setting.startsWith('zstd') || hasZstd(version));

  it('have zstd from 22.15 on, and say so before', async () => {
    for (const version of nodeVersions) {
      expect(nodes.get(version)!.zstd !== undefined, version).toBe(hasZstd(version));
      if (hasZstd(version)) continue;
      const root = await mkdtemp(join(work, 'store-'));
      const { code, stderr } = await lading(version, root, ['build', '--compression', 'zstd', context], true);
      expect([code, /\[([A-Z]+)\]/.exec(stderr)?.[1]], version).toEqual([1, 'UNSUPPORTED']);
    }
  });

  it('give the same layers, also with gzip, and with zstd what the documentation says', async () => {
    const letters = new Map<string, Map<string, string>>(settings.map(setting => [setting, new Map()]));
    const diffIds = new Set<string>();
    const rows: string[] = [];
    for (const version of nodeVersions) {
      const cells: string[] = [];
      for (const setting of settings) {
        if (!able(setting).includes(version)) {
          cells.push('–');
          continue;
        }
        const built = await freshly(version, setting);
        diffIds.add(built.diffIds.join());
        const known = letters.get(setting)!;
        const layers = built.layers.map(({ digest }) => digest).join();
        if (!known.has(layers)) known.set(layers, 'ABCDEF'[known.size]!);
        cells.push(known.get(layers)!);
      }
      const { zstd = '–' } = nodes.get(version)!;
      rows.push(`| ${[version, zstd, ...cells].join(' | ')} |`);
    }
    expect(diffIds.size).toBe(1);
    // gzip is lading's own: it depends on no version.
    for (const setting of ['gzip:1', 'gzip:6', 'gzip:9'] as const) expect(letters.get(setting)!.size, setting).toBe(1);
    const head = `| ${['Node', 'zstd', ...settings].join(' | ')} |`;
    const line = `|${'---|'.repeat(settings.length + 2)}`;
    await expectInDocs([head, line, ...rows].join('\n'));
  });

  it.each(['gzip:6', 'zstd:3'] as const)('build on each other’s stores as on empty ones, with %s', async setting => {
    const versions = able(setting);
    for (const [i, version] of versions.entries()) {
      const root = await mkdtemp(join(work, 'store-'));
      await build(versions[(i + 1) % versions.length]!, root, setting);
      expect(await build(version, root, setting), version).toEqual(await freshly(version, setting));
      // What has not changed is taken from the layer before, whoever compressed it, if it would be the same now.
      expect(await build(version, root, setting, changed), version).toEqual(await freshly(version, setting, changed));
      await lading(version, root, ['fsck']);
      await rm(root, { recursive: true });
    }
  });

  it.each(nodeVersions.filter(hasZstd))('write layers with zstd that others read, as Node %s', async version => {
    const root = await mkdtemp(join(work, 'store-'));
    const { layers, diffIds } = await build(version, root, 'zstd:3');
    for (const [i, { mediaType, digest }] of layers.entries()) {
      expect(mediaType).toBe('application/vnd.oci.image.layer.v1.tar+zstd');
      const tar = join(work, 'layer.tar');
      const blob = join(root, 'blobs', digest.replace(':', '/'));
      await runProgram('zstd', ['-d', '-q', '-f', blob, '-o', tar]);
      expect(
        `sha256:${createHash('sha256')
          .update(await readFile(tar))
          .digest('hex')}`,
      ).toBe(diffIds[i]);
    }
    const copied = join(root, 'copied');
    const from = `oci:${root}:docker.io/library/built:latest`;
    await runProgram('skopeo', ['--insecure-policy', 'copy', '-q', '--dest-decompress', from, `dir:${copied}`]);
    const files = await readdir(copied);
    for (const diffId of diffIds) expect(files).toContain(diffId.slice('sha256:'.length));
  });

  it.each(nodeVersions.filter(hasZstd))(
    'read files out of layers with zstd where they lie, as Node %s',
    async version => {
      const root = await mkdtemp(join(work, 'store-'));
      await build(version, root, 'zstd:3');
      const from = join(root, 'from');
      await mkdir(from);
      await writeFile(join(from, 'Dockerfile'), 'FROM scratch\nCOPY --from=built /data/numbers /app/text/1 /picked/\n');
      await lading(version, root, ['build', '--quiet', '--offline', '--tag', 'picked', from]);
      const folder = join(root, 'files');
      await lading(version, root, ['build', '--quiet', '--offline', '--output', folder, from]);
      for (const [picked, original] of [
        ['numbers', 'data/numbers'],
        ['1', 'text/1'],
      ] as const) {
        const [found, wanted] = [
          await readFile(join(folder, 'picked', picked)),
          await readFile(join(context, original)),
        ];
        expect(found.equals(wanted), picked).toBe(true);
      }
      // A layer that could not be read at an offset would have been written down as a tar.
      expect((await readdir(join(root, 'layers'), { recursive: true })).filter(name => /tar|spool/.test(name))).toEqual(
        [],
      );
    },
  );

  it('without zstd take such an image on, and say that they cannot look into it', async () => {
    const root = await mkdtemp(join(work, 'store-'));
    await build('22.15.0', root, 'zstd:3');
    const from = join(root, 'from');
    await mkdir(from);
    await writeFile(join(from, 'Dockerfile'), 'FROM scratch\nCOPY --from=built /data/numbers /\n');
    const { code, stderr } = await lading('20.19.0', root, ['build', '--offline', from], true);
    expect([code, /\[([A-Z]+)\]/.exec(stderr)?.[1]]).toEqual([1, 'UNSUPPORTED']);
    await lading('20.19.0', root, ['fsck']);
  });
});

/** Content of the kinds that compressors treat differently; the same everywhere. */
async function writeContext(folder: string, note: string): Promise<void> {
  let state = 1;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (const name of ['text', 'data']) await mkdir(join(folder, name), { recursive: true });
  const words = Array.from({ length: 2000 }, () => random(2 ** 30).toString(36));
  for (let i = 0; i < 300; i++) {
    const length = 10 + random(3000);
    await writeFile(
      join(folder, 'text', String(i)),
      Array.from({ length }, () => words[random(1 + random(2000))]).join(' '),
      { mode: 0o644 },
    );
  }
  const files = {
    numbers: Array.from({ length: 400_000 }, (_, i) => `${i}\n`).join(''),
    noise: Buffer.from(Array.from({ length: 1_500_000 }, () => random(256))),
    zeros: Buffer.alloc(3_000_000),
    records: Buffer.concat(
      Array.from({ length: 100_000 }, (_, i) => Buffer.of(i & 255, i >> 8, 0, 0, random(8), 0, 1, random(256))),
    ),
    note,
  };
  for (const [name, content] of Object.entries(files))
    await writeFile(join(folder, 'data', name), content, { mode: 0o644 });
  await writeFile(
    join(folder, 'Dockerfile'),
    'FROM scratch\nCOPY --chmod=a+rX text /app/text\nCOPY --chmod=a+rX data /data\n',
  );
}

/** The table in docs/cache.md; `UPDATE_GOLDEN=1` writes it again. */
async function expectInDocs(table: string): Promise<void> {
  const page = join(import.meta.dirname, '../../docs/cache.md');
  const [begin, end] = ['<!-- versions of Node: begin -->\n', '\n<!-- versions of Node: end -->'];
  const text = await readFile(page, 'utf8');
  const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)];
  if (process.env['UPDATE_GOLDEN'] === '1') await writeFile(page, text.slice(0, from) + table + text.slice(to));
  expect((await readFile(page, 'utf8')).includes(begin + table + end), table).toBe(true);
}
