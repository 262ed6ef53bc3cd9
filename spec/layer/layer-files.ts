import { lstatSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ContentReader } from '../../src/layer/content-reader.js';
import type { LayerEntry } from '../../src/layer/entry.js';
import type { PackLayerOptions } from '../../src/layer/pack.js';
import { packLayer } from '../../src/layer/pack.js';
import { SegmentCrew } from '../../src/layer/segment-crew.js';
import type { LayerSink, WrittenBlob } from '../../src/layer/write-blob.js';
import type { IndexEntry, LayerIndex } from '../../src/tree/layer-index.js';
import type { FileNode } from '../../src/tree/node.js';

/** A folder that is gone after the test. */
export function tempDir(): string {
  const path = mkdtempSync(join(tmpdir(), 'lading-layer-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export const owner = { uid: 0, gid: 0, mtime: 946684800 } as const;

/** A file held in memory. */
export function fileEntry(path: string, content: string | Uint8Array, extra: Partial<FileNode> = {}): LayerEntry {
  const bytes = Buffer.from(content as string);
  return {
    path,
    node: { type: 'file', mode: 0o644, ...owner, size: bytes.length, content: { kind: 'bytes', bytes }, ...extra },
  };
}

export function folderEntry(path: string, mode = 0o755): LayerEntry {
  return { path, node: { type: 'directory', mode, ...owner } };
}

export function symlinkEntry(path: string, target: string): LayerEntry {
  return { path, node: { type: 'symlink', mode: 0o777, ...owner, target } };
}

/** A file on this machine, as a walk of the context would list it. */
export function hostEntry(path: string, hostPath: string): LayerEntry & { readonly node: FileNode } {
  const stat = lstatSync(hostPath, { bigint: true });
  const { dev, ino, size, mtimeNs, ctimeNs } = stat;
  const identity = { dev, ino, size, mtimeNs, ctimeNs, mode: Number(stat.mode) };
  return {
    path,
    node: {
      type: 'file',
      mode: Number(stat.mode) & 0o7777,
      ...owner,
      size: Number(size),
      content: { kind: 'host', path: hostPath, identity },
    },
  };
}

/** Every file below a folder of this machine, in the order of names. */
export function hostEntries(root: string, prefix = ''): LayerEntry[] {
  return readdirSync(root, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(item => {
      const hostPath = join(root, item.name);
      const path = prefix + item.name;
      if (item.isDirectory()) return [folderEntry(path), ...hostEntries(hostPath, `${path}/`)];
      if (item.isSymbolicLink()) return [symlinkEntry(path, readlinkSync(hostPath))];
      return [hostEntry(path, hostPath)];
    });
}

export const noLayers: ContentReader = () => Promise.reject(new Error('no layer is read here'));

export const inThisThread = new SegmentCrew(0);

/** Packs into memory. */
export async function packed(
  entries: Iterable<LayerEntry>,
  options: Partial<PackLayerOptions> = {},
): Promise<Omit<WrittenBlob, 'segments'> & { readonly index: LayerIndex; readonly bytes: Buffer }> {
  const sink = memorySink();
  const indexed: IndexEntry[] = [];
  const onEntry = (entry: IndexEntry): void => void indexed.push(entry);
  const made = await packLayer(entries, sink, { read: noLayers, crew: inThisThread, onEntry, ...options });
  const { segments, ...result } = made;
  const index = { diffId: made.diffId, size: made.size, entries: indexed, ...(segments ? { segments } : {}) };
  return { ...result, index, bytes: sink.bytes() };
}

export function memorySink(): LayerSink & { bytes(): Buffer } {
  const chunks: Buffer[] = [];
  return {
    // A chunk is only lent.
    write: chunk => void chunks.push(Buffer.from(chunk)),
    bytes: () => Buffer.concat(chunks),
  };
}

/** What is open in this process. */
export function openFiles(): string[] {
  return readdirSync('/proc/self/fd')
    .map(fd => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return '';
      }
    })
    .filter(target => target.startsWith('/') && !target.startsWith('/proc') && !target.startsWith('/dev'));
}
