import { chmodSync, chownSync, utimesSync } from 'node:fs';
import { LadingError } from '../errors/errors.js';
import { ioError } from '../errors/io-error.js';
import { diffTrees } from '../layer/diff.js';
import type { LayerEntry } from '../layer/entry.js';
import { hostTime } from '../layer/host-time.js';
import type { CallOptions } from '../stream/bytes.js';
import type { DirectoryNode } from '../tree/node.js';
import { capability, type ProgramEnvironment, writeAttributes } from './file-attributes.js';
import { loosened } from './loosened.js';
import type { RootStore } from './root-store.js';

export interface WriteTreeOptions extends CallOptions {
  readonly store: Pick<RootStore, 'unpack'>;
  readonly owners: 'kept' | 'recorded';
  readonly env?: ProgramEnvironment | undefined;
}

/** Changes a folder that holds one tree, whose nodes the other shares, into the other. */
export async function writeTree(
  folder: string,
  before: DirectoryNode,
  after: DirectoryNode,
  options: WriteTreeOptions,
): Promise<void> {
  await writeEntries(folder, diffTrees(before, after), after, options);
}

/**
 * Writes entries into a folder that then holds `after`. Devices are not written: a hostile image could bring one of this
 * machine's disks. They stay in the tree, and so in the image.
 */
export async function writeEntries(
  folder: string,
  changes: Iterable<LayerEntry>,
  after: DirectoryNode,
  options: WriteTreeOptions,
): Promise<void> {
  const { owners, store, signal } = options;
  const capable = new Map<string, Record<string, string>>();
  const ownership = owners === 'kept' ? 'keep' : 'none';
  const entries = writable(changes, owners, capable);
  await store.unpack(entries, folder, { ownership, signal });
  // Without the privilege to give files to others nobody can give them capabilities: the tree knows them.
  if (owners === 'kept' && !(await writeAttributes(folder, capable, options.env))) {
    throw new LadingError(
      'PROGRAM_MISSING',
      'files of the image have capabilities, which setfattr is needed to write',
      {
        details: { program: 'setfattr' },
        hint: 'Install the package attr.',
      },
    );
  }
  try {
    const { uid, gid, mode, mtime } = after;
    if (owners === 'kept') chownSync(folder, uid, gid);
    chmodSync(folder, owners === 'kept' ? mode : loosened(mode, 'directory'));
    utimesSync(folder, hostTime(mtime), hostTime(mtime));
  } catch (error) {
    throw ioError(error, folder);
  }
}

function* writable(
  entries: Iterable<LayerEntry>,
  owners: 'kept' | 'recorded',
  capable: Map<string, Record<string, string>>,
): Generator<LayerEntry> {
  for (const entry of entries) {
    if (!('node' in entry)) {
      yield entry;
      continue;
    }
    const { path, node } = entry;
    if (node.type === 'character' || node.type === 'block') {
      // Whatever was there before must go all the same.
      yield { path, whiteout: true };
      continue;
    }
    const value = node.xattrs?.[capability];
    if (value !== undefined) capable.set(path, { [capability]: value });
    const type = node.type === 'directory' || node.type === 'file' ? node.type : 'other';
    const mode = owners === 'kept' ? node.mode : loosened(node.mode, type);
    yield { path, node: { ...node, mode, xattrs: undefined } };
  }
}
