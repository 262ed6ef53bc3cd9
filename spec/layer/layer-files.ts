import { lstatSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ContentReader } from '../../src/layer/content-reader.js';
import type { LayerEntry } from '../../src/layer/entry.js';
import { decodeRows } from '../../src/layer/index-rows.js';
import type { PackLayerOptions } from '../../src/layer/pack.js';
import { packLayer } from '../../src/layer/pack.js';
import { type PlannedSegment, unplanned } from '../../src/layer/plan-layer.js';
import { SegmentCrew } from '../../src/layer/segment-crew.js';
import type { TarRows } from '../../src/layer/similar-layer.js';
import type { LayerSink, WrittenBlob } from '../../src/layer/write-blob.js';
import { hostIdentity } from '../../src/tree/host-identity.js';
import type { LayerIndex } from '../../src/tree/layer-index.js';
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
  return {
    path,
    node: {
      type: 'file',
      mode: Number(stat.mode) & 0o7777,
      ...owner,
      size: Number(stat.size),
      content: { kind: 'host', path: hostPath, identity: hostIdentity(stat) },
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

interface Packed extends Omit<WrittenBlob, 'segments'> {
  readonly index: LayerIndex;
  /** In JSON, by where a segment begins. */
  readonly rows: ReadonlyMap<number, { readonly size: number; readonly text: string }>;
  readonly bytes: Buffer;
}

/** Packs into memory. */
export function packed(entries: Iterable<LayerEntry>, options: Partial<PackLayerOptions> = {}): Promise<Packed> {
  return packedSegments(unplanned(entries), options);
}

export async function packedSegments(
  planned: Iterable<PlannedSegment>,
  options: Partial<PackLayerOptions> = {},
): Promise<Packed> {
  const sink = memorySink();
  const known = new Map<number, { size: number; text: string }>();
  const onRows: PackLayerOptions['onRows'] = (offset, size, rows) => {
    known.set(offset, { size, text: Buffer.from(rows as string).toString('utf8') });
  };
  const made = await packLayer(planned, sink, { read: noLayers, crew: inThisThread, onRows, ...options });
  const { segments, ...result } = made;
  const entries = decodeRows([...known].map(([base, { text }]) => ({ text, base }))).all();
  const index = { diffId: made.diffId, size: made.size, entries, ...(segments ? { segments } : {}) };
  return { ...result, index, rows: known, bytes: sink.bytes() };
}

/** Of what has been packed into memory. */
export function rowsOf({ rows, size }: Pick<Packed, 'rows' | 'size'>): TarRows {
  const segments = [...rows].map(
    ([offset, { size, text }]) => [offset, { size, rows: () => Buffer.from(text) }] as const,
  );
  return { size, segments: new Map(segments) };
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
