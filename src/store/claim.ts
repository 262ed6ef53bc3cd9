import { stat, utimes } from 'node:fs/promises';
import { isLadingError } from '../errors/errors.js';
import type { FileLock } from './file-lock.js';
import { hasErrno, ifExists } from './io-error.js';
import type { Session } from './session.js';

/**
 * Makes sure that a blob that is there stays for as long as the session has its lease: it is touched, and a sweep that
 * may have looked before is waited for. A later sweep sees the touch.
 * @returns whether it is (still) there
 */
export async function claimBlob(path: string, session: Session, sweepLock: FileLock): Promise<boolean> {
  try {
    await session.use();
    const now = new Date();
    await utimes(path, now, now);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return false;
    // A store that we may only read: nothing can be promised, and nothing is ours to promise.
    const refused = isLadingError(error, 'IO') ? error.cause : error;
    if (['EROFS', 'EACCES', 'EPERM'].some(code => hasErrno(refused, code))) return true;
    throw error;
  }
  if (!(await sweepLock.whenReleased())) return true;
  return (await ifExists(path, () => stat(path))) !== undefined;
}
