import * as fs from 'node:fs';
import { toHostPath } from '../tree/path.js';

/** Does what makes the target, which must fail when it exists; then what is there is removed and it is done again. */
export function replacing<T>(target: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  removeTarget(target);
  return make();
}

/** Whatever it is; links themselves, never what they point to. */
export function removeTarget(target: string): void {
  const hostPath = toHostPath(target);
  const stat = fs.lstatSync(hostPath, { throwIfNoEntry: false });
  if (stat?.isDirectory()) fs.rmSync(hostPath, { recursive: true, force: true });
  else if (stat !== undefined) fs.unlinkSync(hostPath);
}
