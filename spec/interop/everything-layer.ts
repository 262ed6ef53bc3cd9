import { createHash } from 'node:crypto';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LayerEntry } from '../../src/layer/entry.js';
import { readTar } from '../../src/layer/tar-reader.js';
import type { Metadata } from '../../src/tree/node.js';
import { encodePath } from '../../src/tree/path.js';
import { fileEntry, hostEntry, owner } from '../layer/layer-files.js';

/** What a reader says of one entry, or of one file that it wrote. Names and texts are bytes, one a character. */
export interface Facts {
  readonly type: string;
  readonly mode: string;
  readonly owner: string;
  readonly mtime: number;
  /** SHA-256 of a file's content, a link's target, or the number of a device. */
  readonly content?: string | undefined;
  readonly xattrs?: Readonly<Record<string, string>> | undefined;
}

export type FactsByName = ReadonlyMap<string, Facts>;

const deep = Array.from({ length: 90 }, (_, i) => `level-${i}-${'d'.repeat(20)}`);
/** One byte behind the other, the longest name that file systems know. */
const longest = 'n'.repeat(255);
/** CAP_NET_BIND_SERVICE, permitted and effective, as the kernel stores it (version 2). */
const capability = `\x01\0\0\x02\0\x04${'\0'.repeat(14)}`;
const capable = { xattrs: { 'security.capability': capability } };

/** Bytes of a file that is all hole on this machine, but for its first and last byte. */
const sparseSize = 5 * 1024 * 1024 + 1;

/** The layer below: what whiteouts take away, and what is replaced. */
export const lowerEntries: readonly LayerEntry[] = [
  folder('t'),
  folder('t/gone-folder'),
  fileEntry('t/gone-folder/file', 'gone'),
  fileEntry('t/gone-file', 'gone'),
  fileEntry('t/replaced', 'before', { mode: 0o600 }),
  fileEntry('t/kept', 'from below', { mode: 0o640, uid: 12, gid: 34, mtime: 1 }),
];

/**
 * Everything that a build writes into a layer, below the folder `t`. A file of the machine comes from `host`. Hard links to
 * files of lower layers are not among it: no build makes them, and Docker's overlay2 cannot load them.
 */
export function everything(host: string): LayerEntry[] {
  const sparse = join(host, 'sparse');
  writeFileSync(sparse, 'a', { mode: 0o644 });
  truncateSync(sparse, sparseSize - 1);
  writeFileSync(sparse, 'z', { flag: 'a' });
  const longFile = `t/long/${longest}`;
  return [
    folder('t'),
    folder('t/empty-folder', { mode: 0o700 }),
    folder('t/sealed', { mode: 0o555 }),
    fileEntry('t/sealed/inside', 'written although the folder is not writable', { mode: 0o000 }),
    folder('t/sticky', { mode: 0o1777 }),
    folder('t/setgid', { mode: 0o2775, gid: 50 }),
    folder('t/modes'),
    fileEntry('t/modes/setuid', 'u', { mode: 0o4755, uid: 33, gid: 44 }),
    fileEntry('t/modes/setgid', 'g', { mode: 0o2711, uid: 33, gid: 44 }),
    fileEntry('t/modes/all', 'a', { mode: 0o7777 }),
    folder('t/names'),
    fileEntry('t/names/with a blank ', 'b'),
    fileEntry('t/names/new\nline', 'n'),
    fileEntry('t/names/tab\tand\\backslash', 't'),
    fileEntry('t/names/"quoted" \'name\'', 'q'),
    fileEntry('t/names/-rf', 'r'),
    fileEntry('t/names/grüße-日本-\u{1f600}', 'composed'),
    fileEntry('t/names/e\u0301', 'decomposed'),
    fileEntry('t/names/\u00e9', 'another file'),
    // Bytes that are no UTF-8, as the paths of trees spell them.
    fileEntry('t/names/latin1-\udce9\udcff', 'raw'),
    folder('t/names/raw-\udc80-folder'),
    fileEntry('t/names/raw-\udc80-folder/x', 'x'),
    folder('t/long'),
    fileEntry(`t/long/${'h'.repeat(93)}`, 'of exactly 100 bytes'),
    fileEntry(`t/long/${'i'.repeat(94)}`, 'of 101 bytes'),
    fileEntry(longFile, 'a name of 255 bytes', { mode: 0o751, uid: 2_097_152, gid: 5 }),
    fileEntry(`t/long/${'ü'.repeat(127)}`, 'twice as many bytes as letters'),
    // The places where headers that cut a name could end in a slash.
    folder(`t/long/${'j'.repeat(92)}`),
    fileEntry(`t/long/${'j'.repeat(92)}/k`, 'behind a slash at 99'),
    folder(`t/long/${'l'.repeat(93)}`),
    ...deep.map((_, i) => folder(`t/${deep.slice(0, i + 1).join('/')}`)),
    fileEntry(`t/${deep.join('/')}/bottom`, 'deep'),
    folder('t/owners'),
    fileEntry('t/owners/last-in-octal', '', { uid: 2_097_151, gid: 2_097_151 }),
    fileEntry('t/owners/first-beyond', '', { uid: 2_097_152, gid: 2_097_152 }),
    fileEntry('t/owners/large', '', { uid: 4_294_967_294, gid: 3_000_000 }),
    folder('t/times', { mtime: -86_400 }),
    fileEntry('t/times/before-1970', '', { mtime: -5 }),
    fileEntry('t/times/long-before', '', { mtime: -2_000_000_000 }),
    fileEntry('t/times/zero', '', { mtime: 0 }),
    fileEntry('t/times/past-2038', '', { mtime: 2 ** 31 }),
    fileEntry('t/times/last-in-octal', '', { mtime: 8 ** 11 - 1 }),
    fileEntry('t/times/first-beyond', '', { mtime: 8 ** 11 }),
    fileEntry('t/times/year-9999', '', { mtime: 253_402_300_799 }),
    folder('t/sizes'),
    ...[0, 1, 511, 512, 513, 70_000].map(size => fileEntry(`t/sizes/${size}`, Buffer.alloc(size, 'size'))),
    { path: 't/sizes/sparse', node: hostEntry('', sparse).node },
    folder('t/links'),
    fileEntry('t/links/file', 'linked', { mode: 0o640, uid: 3_000_000, gid: 7, mtime: 1_000_000_000 }),
    { path: 't/links/hard', hardlink: 't/links/file' },
    { path: 't/links/hard-again', hardlink: 't/links/hard' },
    { path: 't/links/hard-to-long', hardlink: longFile },
    { path: `t/links/${'m'.repeat(200)}`, hardlink: 't/links/file' },
    { path: 't/links/hard-to-raw', hardlink: 't/names/latin1-\udce9\udcff' },
    symlink('t/links/soft', '../names/new\nline'),
    symlink('t/links/absolute', '/t/links/file', { uid: 8, gid: 9, mtime: 1_000_000_001 }),
    symlink('t/links/dangling', 'nowhere at all/..//x/'),
    symlink('t/links/soft-100', 's'.repeat(100)),
    symlink('t/links/soft-101', 's'.repeat(101)),
    symlink('t/links/soft-long', `${'segment/'.repeat(250)}end`),
    symlink('t/links/soft-raw', 'ünï-\udcfe'),
    folder('t/special'),
    { path: 't/special/null', node: { type: 'character', mode: 0o666, ...owner, major: 1, minor: 3 } },
    { path: 't/special/disk', node: { type: 'block', mode: 0o660, ...owner, gid: 6, major: 259, minor: 70_000 } },
    { path: 't/special/pipe', node: { type: 'fifo', mode: 0o622, ...owner, uid: 3 } },
    folder('t/xattrs', { xattrs: { 'user.folder': 'yes' } }),
    fileEntry('t/xattrs/capable', 'program', { mode: 0o755, ...capable }),
    fileEntry('t/xattrs/both', 'p', { xattrs: { ...capable.xattrs, 'user.note': 'a=b\nc\xff\0d' } }),
    fileEntry('t/replaced', 'after', { mode: 0o604, uid: 1 }),
    { path: 't/gone-file', whiteout: true },
    { path: 't/gone-folder', whiteout: true },
  ];
}

/** What was put in, entry by entry, as a tar is to say it. */
export function entryFacts(entries: readonly LayerEntry[], bytesOf: (path: string) => Uint8Array): FactsByName {
  const facts = new Map<string, Facts>();
  for (const entry of entries) {
    const name = bytes(entry.path);
    if ('whiteout' in entry) {
      const at = name.lastIndexOf('/') + 1;
      const content = sha256(new Uint8Array());
      facts.set(`${name.slice(0, at)}.wh.${name.slice(at)}`, {
        ...{ type: 'file', mode: '0', owner: '0:0', mtime: 0, content },
      });
      continue;
    }
    if ('hardlink' in entry) {
      // Readers set a file's metadata again from the headers of its further names.
      const target = bytes(entry.hardlink);
      facts.set(name, { ...facts.get(target)!, type: 'hardlink', content: target });
      continue;
    }
    const { node } = entry;
    const content =
      node.type === 'file'
        ? sha256(node.content.kind === 'bytes' ? node.content.bytes : bytesOf(entry.path))
        : node.type === 'symlink'
          ? bytes(node.target)
          : node.type === 'character' || node.type === 'block'
            ? `${node.major}:${node.minor}`
            : undefined;
    facts.set(name, { type: node.type, ...metadataFacts(node), content });
  }
  return facts;
}

/** The files that layers make, one on top of the other: hard links are files, and each file names all of its names. */
export function fileFacts(...layers: readonly FactsByName[]): FactsByName {
  const files = new Map<string, Facts & { readonly inode: number }>();
  let inode = 0;
  for (const layer of layers) {
    for (const [name, facts] of layer) {
      const removed = /^(.*\/)\.wh\.([^/]+)$/s.exec(name);
      if (removed !== null) {
        const path = removed[1]! + removed[2]!;
        for (const other of [...files.keys()]) if (other === path || other.startsWith(`${path}/`)) files.delete(other);
      } else if (facts.type === 'hardlink') {
        const target = files.get(facts.content!);
        if (target !== undefined) files.set(name, target);
      } else {
        files.set(name, { ...facts, inode: inode++ });
      }
    }
  }
  const names = new Map<number, string[]>();
  for (const [name, { inode }] of files) names.set(inode, [...(names.get(inode) ?? []), name].sort());
  return new Map(
    [...files].map(([name, { inode, ...facts }]) => {
      const all = names.get(inode)!;
      return [name, all.length === 1 ? facts : { ...facts, content: `${facts.content} ${all.join(' = ')}` }];
    }),
  );
}

/** What a tar says, read here. Entries that are not below `t` are left out. */
export async function tarFacts(tar: AsyncIterable<Uint8Array>): Promise<FactsByName> {
  const facts = new Map<string, Facts>();
  for await (const item of readTar(tar)) {
    const name = cleaned(item.path);
    if (name !== 't' && !name.startsWith('t/')) continue;
    const hash = createHash('sha256');
    for await (const chunk of item.content) hash.update(chunk);
    const content =
      item.type === 'file'
        ? hash.digest('hex')
        : item.type === 'hardlink'
          ? cleaned(item.linkTarget)
          : item.type === 'symlink'
            ? bytes(item.linkTarget)
            : item.type === 'character' || item.type === 'block'
              ? `${item.devMajor}:${item.devMinor}`
              : undefined;
    facts.set(name, { type: item.type, ...metadataFacts(item), content });
  }
  return facts;
}

export function sha256(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

export function bytes(text: string): string {
  return encodePath(text).toString('latin1');
}

function cleaned(path: string): string {
  return bytes(path)
    .replace(/^(?:\.?\/)+/, '')
    .replace(/\/$/, '');
}

function metadataFacts({ mode, uid, gid, mtime, xattrs }: Metadata): Omit<Facts, 'type' | 'content'> {
  return { mode: mode.toString(8), owner: `${uid}:${gid}`, mtime, ...(xattrs === undefined ? {} : { xattrs }) };
}

function folder(path: string, extra: Partial<Metadata> = {}): LayerEntry {
  return { path, node: { type: 'directory', mode: 0o755, ...owner, ...extra } };
}

function symlink(path: string, target: string, extra: Partial<Metadata> = {}): LayerEntry {
  return { path, node: { type: 'symlink', mode: 0o777, ...owner, ...extra, target } };
}
