import { createReadStream } from 'node:fs';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LayerEntry } from '../../src/layer/entry.js';
import { canZstd } from '../../src/layer/segment-codec.js';
import { prepareHeader, type TarHeaderFields, writeHeader } from '../../src/layer/tar-header.js';
import type { WrittenBlob } from '../../src/layer/write-blob.js';
import { packed } from '../layer/layer-files.js';
import { type Dockerd, startDockerd } from '../support/dockerd.js';
import { describeWith, patience, runProgram } from '../support/programs.js';
import {
  entryFacts,
  everything,
  type Facts,
  type FactsByName,
  fileFacts,
  lowerEntries,
  sha256,
  tarFacts,
} from './everything-layer.js';
import { writeLayout } from './written-layout.js';

/** Something that a reader does not tell or keep, whatever wrote the layer. */
interface Limit {
  readonly why: string;
  readonly on: RegExp;
  /** What it says instead. Where it says what was put in, that is right as well: newer versions may know better. */
  readonly sees?: (wanted: Facts, found: Facts) => Partial<Facts>;
  /** The name under which it has it. */
  readonly calls?: (name: string) => string;
}

const rawNames = /^t\/names\/(?:latin1|raw)-/;
const onlyUtf8 = (text = ''): string =>
  Buffer.from(Buffer.from(text, 'latin1').toString('utf8'), 'utf8').toString('latin1');

const fileSystem: Limit = {
  why: 'file systems hold no such time (ext4 none past 2446); each program has its own idea of the next best',
  on: /^t\/times\/year-9999$/,
  sees: (_, { mtime }) => ({ mtime }),
};

const limits = {
  tar: [fileSystem],
  bsdtar: [fileSystem],
  umoci: [fileSystem],
  docker: [
    fileSystem,
    {
      why: 'its archives begin in 1970',
      on: /^t\/times(?:\/before-1970|\/long-before)?$/,
      sees: () => ({ mtime: 0 }),
    },
    {
      why: 'of extended attributes it writes capabilities alone',
      on: /^t\/xattrs(?:\/both)?$/,
      sees: ({ xattrs = {} }) => ({
        xattrs: Object.fromEntries(Object.entries(xattrs).filter(([name]) => name === 'security.capability')),
      }),
    },
  ],
  tarStream: [
    { why: 'names are UTF-8', on: rawNames, calls: onlyUtf8 },
    {
      why: 'link targets are UTF-8',
      on: /^t\/links\/(?:hard-to|soft)-raw$/,
      sees: ({ content }) => ({ content: onlyUtf8(content) }),
    },
    {
      why: 'extended attributes are UTF-8',
      on: /^t\/xattrs\/both$/,
      sees: ({ xattrs = {} }) => ({
        xattrs: Object.fromEntries(Object.entries(xattrs).map(([name, value]) => [name, onlyUtf8(value)])),
      }),
    },
  ],
} satisfies Record<string, readonly Limit[]>;

/** What was put in against what came out; differences that are limits of the reader are left out. */
function unexplained(expected: FactsByName, actual: FactsByName, known: readonly Limit[]): Record<string, unknown> {
  const differences: Record<string, unknown> = {};
  const rest = new Map(actual);
  for (const [name, wanted] of expected) {
    const met = known.filter(({ on }) => on.test(name));
    const called = [name, ...met.flatMap(({ calls }) => calls?.(name) ?? [])].find(other => rest.has(other));
    const found = called === undefined ? undefined : rest.get(called);
    if (called !== undefined) rest.delete(called);
    const right =
      found !== undefined &&
      (same(wanted, found) || met.some(({ sees }) => sees && same({ ...wanted, ...sees(wanted, found) }, found)));
    if (!right) differences[name] = { wanted, found };
  }
  for (const [name, found] of rest) differences[name] = { found };
  return differences;
}

function same(a: Facts, b: Facts): boolean {
  const [one, other] = [a, b].map(({ type, mode, owner, mtime, content, xattrs = {} }) =>
    JSON.stringify([type, mode, owner, mtime, content, Object.entries(xattrs).sort()]),
  );
  return one === other;
}

/** Programs that know no layers take whiteouts for files. */
function ofPlainTar(facts: FactsByName): FactsByName {
  return fileFacts(new Map([...facts].map(([name, fact]) => [name.replace('/.wh.', '/wh.'), fact])));
}

/** All that GNU tar can keep, when it reads and when it writes. */
const keep = ['--numeric-owner', '--same-owner', '--xattrs', '--xattrs-include=*'];
/**
 * libarchive turns the names of PAX records into those of the locale. Where it cannot it keeps the bytes, complains, and ends
 * with 1; in a locale of UTF-8 it also composes letters and their accents, which may give two files one name.
 */
const complaint =
  /^bsdtar: (?:(?:Path|Link)name can't be converted from UTF-8 to current locale|Error exit delayed from previous errors)\.$/;
/** Names that libarchive has no way to write into another archive. */
const notConverted = /[\udc80-\udcff]|\u0301/;
if (!canZstd) process.stderr.write('skipped: layers with zstd: this Node has none\n');
const compressions = ['gzip', 'none', ...(canZstd ? (['zstd'] as const) : [])] as const;

const programs = ['root', 'tar', 'bsdtar', 'umoci', 'skopeo', 'dockerd', 'docker'];
describeWith(programs, 'a layer with everything in it', () => {
  let work: string;
  let dockerd: Dockerd;
  let sparse: Buffer;
  let expected: FactsByName;
  let below: FactsByName;
  const layers = new Map<string, ReadonlyArray<WrittenBlob & { readonly bytes: Buffer }>>();

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'lading-readers-'));
    const entries = everything(work);
    sparse = await readFile(join(work, 'sparse'));
    expected = entryFacts(entries, () => sparse);
    below = entryFacts(lowerEntries, () => sparse);
    for (const compression of compressions) {
      const both = [await packed(lowerEntries, { compression }), await packed(entries, { compression })];
      layers.set(compression, both);
      await writeFile(join(work, compression), both[1]!.bytes);
      await writeLayout(join(work, `${compression}-layout`), both);
    }
    dockerd = await startDockerd();
  }, patience);

  afterAll(async () => {
    await dockerd?.stop();
    if (work) await rm(work, { recursive: true, force: true });
  }, patience);

  /** What lies in a folder, as GNU tar tells it. */
  async function folderFacts(folder: string): Promise<FactsByName> {
    const file = join(work, 'read.tar');
    await runProgram('tar', ['--format=posix', ...keep, '-cf', file, '-C', folder, 't']);
    return ofPlainTar(await tarFacts(createReadStream(file)));
  }

  const newFolder = () => mkdtemp(join(work, 'out-'));

  describe.each(compressions)('compressed with %s', compression => {
    const blob = (): string => join(work, compression);

    it('is extracted by GNU tar', async () => {
      const folder = await newFolder();
      await runProgram('tar', [...keep, '-xpf', blob(), '-C', folder]);
      expect(unexplained(ofPlainTar(expected), await folderFacts(folder), limits.tar)).toEqual({});
    });

    it('is extracted by bsdtar', async () => {
      const folder = await newFolder();
      const extract = ['--numeric-owner', '--xattrs', '-xpf', blob(), '-C', folder];
      const { stderr } = await runProgram('bsdtar', extract, { env: { LC_ALL: 'C' }, mayFail: true });
      const lines = stderr.split('\n').filter(line => line !== '' && !complaint.test(line));
      expect(lines).toEqual([]);
      expect(unexplained(ofPlainTar(expected), await folderFacts(folder), limits.bsdtar)).toEqual({});
    });

    it('is converted by bsdtar, entry by entry', async () => {
      const entries = everything(work).filter(entry => !namesOf(entry).some(name => notConverted.test(name)));
      const [from, to] = [join(work, 'convertible'), join(work, 'converted.tar')];
      await writeFile(from, (await packed(entries, { compression })).bytes);
      await runProgram('bsdtar', ['-cf', to, '--format=pax', `@${from}`], { env: { LC_ALL: 'C.UTF-8' } });
      const found = await tarFacts(createReadStream(to));
      const wanted = entryFacts(entries, () => sparse);
      expect(unexplained(wanted, found, [])).toEqual({});
      expect([...found.keys()]).toEqual([...wanted.keys()]);
    });

    it('is unpacked by umoci', async () => {
      const folder = join(await newFolder(), 'bundle');
      await runProgram('umoci', ['unpack', '--image', `${blob()}-layout:1`, folder]);
      const found = await folderFacts(join(folder, 'rootfs'));
      expect(unexplained(fileFacts(below, expected), found, limits.umoci)).toEqual({});
    });

    it('is copied by skopeo, and loaded and exported by Docker', async () => {
      const archive = join(work, 'docker.tar');
      await rm(archive, { force: true });
      const to = `docker-archive:${archive}:everything:${compression}`;
      await runProgram('skopeo', ['--insecure-policy', 'copy', '-q', `oci:${blob()}-layout:1`, to]);
      await dockerd.docker(['load', '--quiet', '--input', archive]);
      const inspect = ['image', 'inspect', '--format', '{{json .RootFS.Layers}}', `everything:${compression}`];
      const { stdout } = await dockerd.docker(inspect);
      expect(JSON.parse(stdout)).toEqual(layers.get('none')!.map(({ diffId }) => diffId));
      const container = (await dockerd.docker(['create', '--network=none', `everything:${compression}`])).stdout.trim();
      const exported = join(work, 'exported.tar');
      await dockerd.docker(['export', '--output', exported, container]);
      const found = fileFacts(await tarFacts(createReadStream(exported)));
      expect(unexplained(fileFacts(below, expected), found, limits.docker)).toEqual({});
    });
  });

  it('is the same tar however it is compressed', async () => {
    const [gzip, none] = [await readFile(join(work, 'gzip')), await readFile(join(work, 'none'))];
    expect(gunzipSync(gzip).equals(none)).toBe(true);
    for (const compression of compressions) {
      expect(layers.get(compression)![1]!.diffId).toBe(layers.get('none')![1]!.diffId);
    }
    expect(unexplained(expected, await tarFacts(createReadStream(join(work, 'none'))), [])).toEqual({});
  });

  it('is read by tar-stream, entry by entry', async () => {
    const found = await tarStreamFacts(await readFile(join(work, 'none')));
    expect(unexplained(expected, found, limits.tarStream)).toEqual({});
    expect(found.size).toBe(expected.size);
  });

  it('has files of more than 8 GiB that GNU tar and bsdtar list, and what comes behind them', async () => {
    const size = 9 * 2 ** 30 + 5;
    const file = join(work, 'huge.tar');
    const fields = { type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 0 } as const;
    const [huge, next] = [headerBytes({ ...fields, path: 'huge', size }), headerBytes({ ...fields, path: 'next' })];
    const archive = await open(file, 'w');
    const behind = huge.length + Math.ceil(size / 512) * 512;
    await archive.write(huge, 0, huge.length, 0);
    await archive.write(next, 0, next.length, behind);
    await archive.truncate(behind + next.length + 1024);
    await archive.close();
    for (const program of ['tar', 'bsdtar']) {
      const { stdout } = await runProgram(program, ['-tvf', file]);
      expect(stdout.split('\n').map(line => [/ (\d+) (?:Jan|1970)/.exec(line)?.[1], line.split(' ').at(-1)])).toEqual([
        [String(size), 'huge'],
        ['0', 'next'],
        [undefined, ''],
      ]);
    }
    await rm(file);
  });
});

function namesOf(entry: LayerEntry): string[] {
  if ('hardlink' in entry) return [entry.path, entry.hardlink];
  return 'node' in entry && entry.node.type === 'symlink' ? [entry.path, entry.node.target] : [entry.path];
}

function headerBytes(fields: TarHeaderFields): Buffer {
  const header = prepareHeader(fields);
  const bytes = Buffer.alloc(header.size);
  writeHeader(header, bytes, 0);
  return bytes;
}

/** tar-stream leaves numbers that only PAX can say, and extended attributes, to those who look at the records. */
function tarStreamFacts(tar: Uint8Array): Promise<FactsByName> {
  return new Promise((resolve, reject) => {
    const facts = new Map<string, Facts>();
    const types: Readonly<Record<string, string>> = {
      link: 'hardlink',
      'character-device': 'character',
      'block-device': 'block',
    };
    const bytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
    const reader = extract();
    reader.on('entry', (header, stream, next) => {
      const pieces: Buffer[] = [];
      stream.on('data', piece => pieces.push(piece as Buffer));
      stream.on('end', () => {
        const { mode, devmajor, devminor, linkname, pax } = header;
        const records = (pax ?? {}) as Readonly<Record<string, string>>;
        const type = types[header.type!] ?? header.type!;
        const contents: Readonly<Record<string, () => string>> = {
          file: () => sha256(Buffer.concat(pieces)),
          character: () => `${devmajor}:${devminor}`,
          block: () => `${devmajor}:${devminor}`,
          hardlink: () => bytes(linkname!),
          symlink: () => bytes(linkname!),
        };
        const attributes = Object.entries(records).filter(([key]) => key.startsWith('SCHILY.xattr.'));
        facts.set(bytes(header.name.replace(/\/$/, '')), {
          type,
          mode: mode!.toString(8),
          owner: `${records['uid'] ?? header.uid}:${records['gid'] ?? header.gid}`,
          mtime: Number(records['mtime'] ?? header.mtime!.getTime() / 1000),
          content: contents[type]?.(),
          xattrs: Object.fromEntries(attributes.map(([key, value]) => [key.slice(13), bytes(value)])),
        });
        next();
      });
    });
    reader.on('finish', () => resolve(facts));
    reader.on('error', reject);
    reader.end(tar);
  });
}
