import { statSync, utimesSync } from 'node:fs';
import { isLadingError } from '../errors/errors.js';
import type { FileLock } from './file-lock.js';
import { hasErrno, ifExists } from './io-error.js';
import type { Lease, Session } from './session.js';

/**
 * Makes sure that a blob stays for as long as whoever counts on it is at work. `written`: the file has been made in that
 * time, and not only been found.
 * @returns whether it is (still) there
 */
export type BlobClaim = (path: string, written?: boolean) => Promise<boolean>;

/**
 * Blobs stay for as long as the session has its lease: one that is found is touched, and a sweep that may have looked
 * before is waited for. A later sweep sees the touch, so once in a lease is enough. What is written under a lease is younger
 * than it, and needs neither.
 */
export function blobClaims(session: Session, sweepLock: FileLock): BlobClaim {
  const claimed = new WeakMap<Lease, Set<string>>();
  return async (path, written) => {
    let ofLease: Set<string>;
    try {
      const lease = await session.use();
      ofLease = claimed.get(lease) ?? new Set();
      claimed.set(lease, ofLease);
      if (written) ofLease.add(path);
      if (ofLease.has(path)) return true;
      const now = new Date();
      utimesSync(path, now, now);
    } catch (error) {
      if (hasErrno(error, 'ENOENT')) return false;
      // A store that we may only read: nothing can be promised, and nothing is ours to promise.
      const refused = isLadingError(error, 'IO') ? error.cause : error;
      if (['EROFS', 'EACCES', 'EPERM'].some(code => hasErrno(refused, code))) return true;
      throw error;
    }
    if ((await sweepLock.whenReleased()) && (await ifExists(path, async () => statSync(path))) === undefined)
      return false;
    ofLease.add(path);
    return true;
  };
}
