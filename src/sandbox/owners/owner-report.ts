import { type BigIntStats, chmodSync, lchownSync, lstatSync, readdirSync } from 'node:fs';
import { baseOf, decodePath, parentOf, toHostPath } from '../../tree/path.js';
import { PathInRoot } from '../path-in-root.js';
import type { FileOwner, RunRequest } from '../sandbox.js';
import type { LedgerFile, LedgerName } from './owner-ledger.js';
import type { OwnerTrace } from './owner-trace.js';

export interface OwnerReport {
  /** Of what was made, moved or given away in the run, by path inside the root. */
  readonly owners: ReadonlyMap<string, FileOwner>;
  readonly uncertain: readonly string[];
}

export interface OwnerReportOptions extends Pick<RunRequest, 'ownerBefore'> {
  /** Where nothing runs any more. */
  readonly root: string;
  readonly user: FileOwner;
}

const setGroupId = 0o2000n;

/** What a trace comes to, with the root as it is at the end. */
export function ownerReport(trace: OwnerTrace, options: OwnerReportOptions): OwnerReport {
  const { root, user, ownerBefore } = options;
  const owners = new Map<string, FileOwner>();
  const uncertain = new Set([...trace.uncertain].filter(path => stat(root, path) !== undefined || isNode(trace, path)));
  const inherited = new Map<string, number | undefined>();

  /** The group that a folder gives to what is made in it. */
  const groupOf = (folder: string, file: LedgerFile): number | undefined => {
    if (inherited.has(folder)) return inherited.get(folder);
    const sets = ((stat(root, folder)?.mode ?? 0n) & setGroupId) !== 0n;
    const before = file.origin === undefined ? undefined : ownerBefore?.(file.origin);
    const group = sets ? (owners.get(folder)?.gid ?? before?.gid) : undefined;
    inherited.set(folder, group);
    return group;
  };
  const owner = (file: LedgerFile, folder: string, parent: LedgerFile): FileOwner | undefined => {
    const { origin, maker } = file;
    const before = origin === undefined ? (maker ?? user) : ownerBefore?.(origin);
    const group = origin === undefined ? groupOf(folder, parent) : undefined;
    const uid = file.uid ?? before?.uid;
    const gid = file.gid ?? group ?? before?.gid;
    return uid === undefined || gid === undefined ? undefined : { uid, gid };
  };
  const pending: Array<readonly [string, LedgerName]> = [['', trace.ledger.root]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [folder, { file: parent, children }] = next;
    if (parent === undefined) continue;
    const names = new Map(children);
    // What is below a folder that was moved has moved with it, whether or not anything was said of it.
    if (parent.origin !== undefined && parent.origin !== folder && stat(root, folder)?.isDirectory()) {
      for (const name of namesIn(root, folder)) {
        if (!names.has(name)) names.set(name, { file: { origin: `${parent.origin}/${name}` }, children: new Map() });
      }
    }
    for (const [name, child] of names) {
      const path = folder === '' ? name : `${folder}/${name}`;
      const { file } = child;
      if (file === undefined) continue;
      const moved = file.origin !== undefined && file.origin !== path;
      if (moved || file.origin === undefined || file.uid !== undefined || file.gid !== undefined) {
        const found = owner(file, folder, parent);
        if (found !== undefined) owners.set(path, found);
        else if (stat(root, path) !== undefined) uncertain.add(path);
      }
      pending.push([path, child]);
    }
  }
  return { owners, uncertain: [...uncertain].sort() };
}

/**
 * Gives files away for real, as far as that is not yet so: by whoever is allowed to. What the trace knows of names comes from
 * the process, which may have put a link in the place of a folder without its being seen: none is gone through.
 */
export function applyOwners(root: string, owners: ReadonlyMap<string, FileOwner>): void {
  for (const [path, owner] of owners) {
    const folder = new PathInRoot(root, parentOf(path));
    try {
      if (folder.endsInFolder && folder.names.join('/') === parentOf(path)) {
        giveAway(folder.folder(folder.present), baseOf(path), owner);
      }
    } finally {
      folder.close();
    }
  }
}

function giveAway(folder: string, name: string, { uid, gid }: FileOwner): void {
  const stats = stat(folder, name);
  if (stats === undefined || (stats.uid === BigInt(uid) && stats.gid === BigInt(gid))) return;
  const place = toHostPath(`${folder}/${name}`);
  lchownSync(place, uid, gid);
  // The kernel takes these bits away with the owner.
  if (!stats.isSymbolicLink() && (stats.mode & 0o6000n) !== 0n) chmodSync(place, Number(stats.mode & 0o7777n));
}

function stat(root: string, path: string): BigIntStats | undefined {
  try {
    return lstatSync(toHostPath(path === '' ? root : `${root}/${path}`), { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Something that is played, and not on the disk. */
function isNode(trace: OwnerTrace, path: string): boolean {
  return trace.ledger.fileAt(path)?.maker !== undefined;
}

function namesIn(root: string, folder: string): string[] {
  try {
    const names = readdirSync(toHostPath(`${root}/${folder}`), { encoding: 'buffer' }) as unknown as Buffer[];
    return names.map(name => decodePath(name));
  } catch {
    return [];
  }
}
