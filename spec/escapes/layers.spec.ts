import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { buildImage } from '../../src/api/build-image.js';
import { isLadingError } from '../../src/errors/errors.js';
import { readTar } from '../../src/layer/tar-reader.js';
import { openStore } from '../../src/store/store.js';
import { chunked, endMarker, type RawHeader, rawEntry, rawPax, rawTar } from '../layer/raw-tar.js';
import { host, writeFiles } from '../support/building.js';
import { layoutOf } from '../support/layout-of.js';
import { describeWith, runProgram } from '../support/programs.js';
import { tempDir } from '../support/temp-dir.js';

/** An entry of a hostile archive; OUT is the folder of this machine that is to be got at, beside the one it is unpacked to. */
type Entry = readonly [name: string, header?: RawHeader, content?: string];

interface HostileArchive {
  readonly title: string;
  readonly entries: readonly Entry[];
  /** What an unpacker without the defence does with it: `escapes`, unless the mechanism is of another system. */
  readonly naive: 'escapes' | 'stays';
}

const link = (link: string): RawHeader => ({ type: '2', link, mode: 0o777 });
const hard = (link: string): RawHeader => ({ type: '1', link, mode: 0o777 });
const folder: RawHeader = { type: '5', mode: 0o755 };
const evil = 'evil';

/** Folders with names as long as can be, each with a short name beside it; and a link that climbs out of them all. */
function longLinks(): Entry[] {
  const long = 'd'.repeat(240);
  const steps = [...'abcdefghijklmno'];
  const folders = steps.flatMap((step, depth): Entry[] => {
    const above = `${long}/`.repeat(depth);
    return [
      [`${above}${long}`, folder],
      [`${above}${step}`, link(long)],
    ];
  });
  const end = `${steps.join('/')}/${'l'.repeat(250)}`;
  return [
    ...folders,
    [end, link('../'.repeat(steps.length))],
    ['escape', link(`${end}/../outside`)],
    ['escape/new', {}, evil],
    ['escape/canary', {}, evil],
  ];
}

const archives: readonly HostileArchive[] = [
  {
    title: 'CVE-2021-32804: an absolute path, with more slashes than one, is a path in the root',
    entries: [
      ['//OUT/new', {}, evil],
      ['///OUT/canary', {}, evil],
    ],
    naive: 'escapes',
  },
  {
    title: 'CVE-2026-28406: a path that climbs is none',
    entries: [
      ['../outside/new', {}, evil],
      ['a/../../outside/canary', {}, evil],
    ],
    naive: 'escapes',
  },
  {
    title: 'CVE-2020-10696: a context that is an archive changes no file of the host',
    entries: [
      ['l', link('OUT')],
      ['l/canary', {}, evil],
      ['l/../outside/new', {}, evil],
    ],
    naive: 'escapes',
  },
  {
    title: 'CVE-2021-32803: a folder that became a link is no folder any more',
    entries: [
      ['a', folder],
      ['a', link('../outside')],
      ['a/new', {}, evil],
      ['a/canary', {}, evil],
    ],
    naive: 'escapes',
  },
  {
    title: 'CVE-2021-37701: a backslash divides no names',
    entries: [
      ['a\\b', folder],
      ['a', folder],
      ['a/b', link('../../outside')],
      ['a\\b/new', {}, evil],
      ['a/b/new', {}, evil],
    ],
    naive: 'escapes',
  },
  {
    title: 'CVE-2021-37712: names that look alike are different names',
    entries: [
      ['caf\u00e9', folder],
      ['cafe\u0301', link('../outside')],
      ['caf\u00e9/new', {}, evil],
      ['cafe\u0301/new', {}, evil],
    ],
    naive: 'escapes',
  },
  {
    title: 'CVE-2021-37713: a drive is a name, and what follows it leads nowhere',
    entries: [
      ['C:../outside/new', {}, evil],
      ['C:', link('../outside')],
      ['C:/new', {}, evil],
    ],
    naive: 'escapes',
  },
  {
    title: 'CVE-2026-23745: a hard link to an absolute path leads to no file of the host',
    entries: [
      ['h', hard('OUT/canary')],
      ['h', { mode: 0o777 }, evil],
    ],
    naive: 'escapes',
  },
  {
    title: 'CVE-2026-24842: a hard link that climbs leads to no file of the host',
    entries: [
      ['d', folder],
      ['d/h', hard('../outside/canary')],
      ['d/h', {}, evil],
    ],
    naive: 'escapes',
  },
  {
    title: 'CVE-2026-26960: a hard link through links that climb together leads to no file of the host',
    entries: [
      ['a/b/c', folder],
      ['a/b/c/up', link('../..')],
      ['a/b/escape', link('c/up/../..')],
      ['h', hard('a/b/escape/outside/canary')],
      ['h', {}, evil],
    ],
    naive: 'escapes',
  },
  {
    title: 'CVE-2026-50163: a hard link is not looked for in the folder that the program was started in',
    entries: [
      ['h', hard('package.json')],
      ['h', {}, evil],
    ],
    naive: 'stays',
  },
  {
    title: 'CVE-2024-12905: a link that leads out is written, and nothing is written through it',
    entries: [
      ['l', link('OUT')],
      ['l/new', {}, evil],
      ['l/canary', {}, evil],
    ],
    naive: 'escapes',
  },
  {
    title: 'CVE-2025-48387: a hard link through a link is to what is in the root',
    entries: [
      ['l', link('../outside')],
      ['h', hard('l/canary')],
      ['h', {}, evil],
    ],
    naive: 'escapes',
  },
  {
    title: 'CVE-2025-59343: a folder whose name begins like that of the root is not in it',
    entries: [
      ['l', link('../root-beside')],
      ['l/new', {}, evil],
    ],
    naive: 'escapes',
  },
  {
    title: 'CVE-2021-29136: an entry for the root itself that is a link does not move the root',
    entries: [
      ['.', link('OUT')],
      ['./', link('OUT')],
      ['', link('OUT')],
      ['new', {}, evil],
    ],
    naive: 'escapes',
  },
  {
    title: 'CVE-2021-32760: a mode is given to no file that a link leads to',
    entries: [
      ['l', link('../outside/canary')],
      ['h', hard('l')],
      ['h', { type: '2', link: '../outside/canary', mode: 0o4777 }],
    ],
    naive: 'escapes',
  },
  {
    title: 'CVE-2025-4517: a link through paths that are longer than the system takes is followed inside the root',
    entries: longLinks(),
    naive: 'escapes',
  },
  {
    title: 'CVE-2014-9356: whiteouts of names with dots remove nothing outside',
    entries: [
      ['d', folder],
      ['d/.wh...', {}],
      ['.wh...', {}],
      ['.wh..', {}],
      ['l', link('../outside')],
      ['l/.wh.canary', {}],
    ],
    naive: 'escapes',
  },
];

let top: string;
let out: string;
beforeEach(async () => {
  top = await tempDir();
  out = join(top, 'outside');
  for (const name of ['outside', 'root-beside', 'root']) mkdirSync(join(top, name));
  writeFileSync(join(out, 'canary'), 'of the host', { mode: 0o600 });
});

/** Whether anything outside of the root has been made, removed, written, linked to or changed. */
function untouched(): boolean {
  const { nlink, mode } = statSync(join(out, 'canary'), { throwIfNoEntry: false }) ?? { nlink: 0, mode: 0 };
  return (
    existsSync(out) &&
    readdirSync(out).join() === 'canary' &&
    readdirSync(join(top, 'root-beside')).length === 0 &&
    nlink === 1 &&
    (mode & 0o7777) === 0o600 &&
    readFileSync(join(out, 'canary'), 'utf8') === 'of the host'
  );
}

function archiveOf(entries: readonly Entry[]): Buffer {
  const placed = (text: string | Uint8Array | undefined): string => String(text ?? '').replace('OUT', out);
  return rawTar(
    ...entries.flatMap(([name, header = {}, content = '']) => {
      const long = placed(name).length > 99 ? [rawPax([['path', placed(name)]])] : [];
      const target = header.link === undefined ? undefined : placed(header.link);
      const longLink = target !== undefined && target.length > 99 ? [rawPax([['linkpath', target]])] : [];
      return [...long, ...longLink, rawEntry({ ...header, name: placed(name), link: target }, content)];
    }),
  );
}

/** An unpacker as they were before their advisories: it joins names, remembers folders, and follows what is there. */
function naiveUnpack(entries: readonly Entry[], root: string): void {
  const placed = (text: string): string => text.replace('OUT', out);
  for (const [name, header = {}, content = ''] of entries) {
    const clean = placed(name).replaceAll('\\', '/').replace(/^C:/, '');
    const path = clean.startsWith('/') ? join('/', clean) : join(root, clean);
    // It is to be seen that it escapes, and not to be let out of the test.
    if (!path.startsWith(`${top}/`)) continue;
    const target = placed(String(header.link ?? ''));
    try {
      if (header.type === '5') mkdirSync(path, { recursive: true });
      else {
        mkdirSync(dirname(path), { recursive: true });
        const base = path.slice(path.lastIndexOf('/') + 1);
        if (base.startsWith('.wh.')) {
          const removed = join(dirname(path), base.slice(4));
          if (removed.startsWith(`${top}/`)) rmSync(removed, { recursive: true, force: true });
          continue;
        }
        if (header.type === '2' || header.type === '1') {
          rmSync(path, { recursive: true, force: true });
          if (header.type === '2') symlinkSync(target, path);
          else linkSync(target.startsWith('/') ? target : join(root, target), path);
          if (Number(header.mode) > 0o777) chmodSync(path, Number(header.mode) & 0o777);
        } else writeFileSync(path, content);
      }
    } catch {
      // It goes on with the next.
    }
  }
}

async function codeOf(build: Promise<unknown>): Promise<string | undefined> {
  const error = await build.then(
    () => undefined,
    thrown => thrown as unknown,
  );
  if (error !== undefined && !isLadingError(error)) throw error;
  return error?.code;
}

/** Builds, and writes all files of the result to a folder. */
async function builtInto(root: string, dockerfile: string, context: string, options: object = {}): Promise<void> {
  const store = await openStore(join(top, 'store'));
  try {
    await buildImage({
      ...{ store, host, context, pull: 'never', dockerfileText: dockerfile, sandbox: 'namespaces' },
      ...{ env: { PATH: process.env['PATH'] }, outputs: [{ type: 'local', dest: root }] },
      ...options,
    });
  } finally {
    await store.close();
  }
}

const refusals = /^(?:INVALID_ARCHIVE|PATH_INVALID|PATH_NOT_FOUND)$/;

describe('published escapes of unpackers', () => {
  for (const { title, entries, naive } of archives) {
    it(title, async () => {
      naiveUnpack(entries, join(top, 'root'));
      expect(untouched()).toBe(naive === 'stays');
      for (const name of ['outside', 'root-beside', 'root']) rmSync(join(top, name), { recursive: true, force: true });
      for (const name of ['outside', 'root-beside']) mkdirSync(join(top, name), { recursive: true });
      writeFileSync(join(out, 'canary'), 'of the host', { mode: 0o600 });

      const archive = archiveOf(entries);
      const context = writeFiles(join(top, 'context'), { Dockerfile: '' });
      writeFileSync(join(context, 'a.tar'), archive);
      const layout = layoutOf(join(top, 'layout'), [archive]);
      const base = { buildContexts: { base: `oci-layout://${layout}` } };
      // As an archive that is added, as a layer of a base image, and as a context.
      for (const [dockerfile, options] of [
        ['FROM scratch\nADD a.tar /', {}],
        ['FROM scratch\nADD a.tar /deep/er/', {}],
        ['FROM base\nCOPY a.tar /', base],
        ['FROM scratch\nCOPY --from=base / /', base],
        ['FROM scratch\nCOPY . /', { context: undefined, contextContent: chunked(archive) }],
      ] as const) {
        const code = await codeOf(builtInto(join(top, 'root'), dockerfile, context, options));
        expect(code ?? 'INVALID_ARCHIVE', dockerfile).toMatch(refusals);
        expect(untouched(), dockerfile).toBe(true);
        expect(existsSync(join(top, 'root/package.json'))).toBe(false);
        rmSync(join(top, 'root'), { recursive: true, force: true });
      }
    });
  }
});

describeWith(['root', 'perl', 'busybox'], 'published escapes of unpackers, where a RUN needs the files', () => {
  it("CVE-2025-47290: layers that go through each other's links stay in the root that is made of them", async () => {
    const busybox = readFileSync(execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim());
    const layers = [
      rawTar(
        rawEntry({ name: 'bin/sh', mode: 0o755 }, busybox),
        rawEntry({ name: 'etc', ...link(out) }),
        rawEntry({ name: 'up', ...link('../../../../../..') }),
      ),
      rawTar(
        rawEntry({ name: 'etc/new' }, evil),
        rawEntry({ name: `up${out}/new` }, evil),
        rawEntry({ name: 'etc/.wh.canary' }),
        rawEntry({ name: 'var', ...link('../outside') }),
      ),
      rawTar(
        rawEntry({ name: 'var/run', ...folder }),
        rawEntry({ name: 'var/new' }, evil),
        rawEntry({ name: 'etc/canary', ...hard('var/canary') }),
      ),
    ];
    const layout = layoutOf(join(top, 'layout'), layers);
    const context = writeFiles(join(top, 'context'), { Dockerfile: '' });
    const options = { buildContexts: { base: `oci-layout://${layout}` } };
    for (const sandbox of ['namespaces', 'chroot']) {
      const dockerfile = 'FROM base\nRUN [ "/bin/sh", "-c", "echo evil >/etc/new2; echo evil >/var/new3; true" ]';
      const code = await codeOf(builtInto(join(top, 'root'), dockerfile, context, { ...options, sandbox }));
      expect(code ?? 'PATH_INVALID').toMatch(refusals);
      expect(untouched()).toBe(true);
      rmSync(join(top, 'root'), { recursive: true, force: true });
    }
  });
});

describe('published attacks on readers of archives', () => {
  const read = async (...parts: Uint8Array[]): Promise<string[]> => {
    const names: string[] = [];
    for await (const entry of readTar(chunked(rawTar(...parts)))) names.push(`${entry.path} ${entry.size}`);
    return names;
  };

  it('CVE-2025-62518: the size that PAX gives is the one, and no archive inside of a file is read', async () => {
    const inner = rawTar(rawEntry({ name: 'smuggled' }, evil));
    const size = rawPax([['size', String(inner.length)]]);
    // In the block the file is empty, so that readers which believe it go on in the middle of it.
    const outer = [size, rawEntry({ name: 'carrier', size: 0 }, inner), rawEntry({ name: 'after' }, 'x')];
    expect(await read(...outer)).toEqual([`carrier ${inner.length}`, 'after 1']);
  });

  it('CVE-2025-8194: a size below zero is refused, and does not lead back', async () => {
    const negative = Buffer.alloc(12, 0xff);
    await expect(read(rawEntry({ size: negative }, 'x'))).rejects.toMatchObject({ code: 'INVALID_ARCHIVE' });
    await expect(read(rawPax([['size', '-512']]), rawEntry({}, 'x'))).rejects.toMatchObject({
      code: 'INVALID_ARCHIVE',
    });
  });

  it('CVE-2025-58183: a map of holes does not take more memory than there are bytes', async () => {
    const records = rawPax([
      ['GNU.sparse.major', '1'],
      ['GNU.sparse.minor', '0'],
      ['GNU.sparse.name', 'f'],
      ['GNU.sparse.realsize', '1'],
    ]);
    const before = process.memoryUsage().rss;
    await expect(read(records, rawEntry({}, '999999999999\n0\n1\n'))).rejects.toMatchObject({
      code: 'INVALID_ARCHIVE',
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(64 << 20);
  });

  it('CVE-2024-28863: folders without end are refused before they are made', async () => {
    const context = writeFiles(join(top, 'context'), { Dockerfile: '' });
    const deep = 'd/'.repeat(60_000);
    writeFileSync(join(context, 'a.tar'), rawTar(rawPax([['path', `${deep}f`]]), rawEntry({}, 'x')));
    expect(await codeOf(builtInto(join(top, 'made'), 'FROM scratch\nADD a.tar /', context))).toBe('INVALID_ARCHIVE');
    expect(existsSync(join(top, 'made'))).toBe(false);
  });

  it('CVE-2017-14992: a layer of very much nothing takes no memory', async () => {
    const zeros = Buffer.alloc(96 << 20);
    const packed = gzipSync(
      Buffer.concat([rawEntry({ name: 'bomb', size: zeros.length }), zeros, endMarker]).subarray(0),
      { level: 1 },
    );
    expect(packed.length).toBeLessThan(2 << 20);
    const context = writeFiles(join(top, 'context'), { Dockerfile: '' });
    writeFileSync(join(context, 'a.tar.gz'), packed);
    const store = await openStore(join(top, 'store'));
    const before = process.memoryUsage().rss;
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss - before)), 5);
    try {
      const options = { store, host, context, pull: 'never', dockerfileText: 'FROM scratch\nADD a.tar.gz /' } as const;
      await buildImage({ ...options, env: {} });
    } finally {
      clearInterval(watch);
      await store.close();
    }
    expect(most).toBeLessThan(80 << 20);
  });
});

it('copies of these archives are what tar takes them for', async () => {
  // The fixtures are sound archives: what is refused is not refused for a wrong block.
  for (const { entries } of archives) {
    const { stdout } = await runProgram('tar', ['-tPf', '-'], { input: archiveOf(entries), mayFail: true });
    expect(stdout.split('\n').length).toBeGreaterThan(entries.length - 2);
    expect(lstatSync(out).isDirectory()).toBe(true);
  }
});
