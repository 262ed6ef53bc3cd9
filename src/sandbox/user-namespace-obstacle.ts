import { readFile } from 'node:fs/promises';
import type { OwnPrivileges } from './own-privileges.js';

/** Something that is missing, and the one thing to do about it. */
export interface Obstacle {
  readonly missing: string;
  readonly remedy?: string | undefined;
}

const settings = [
  { file: 'user/max_user_namespaces', value: '0', remedy: 'sysctl -w user.max_user_namespaces=15000' },
  { file: 'kernel/unprivileged_userns_clone', value: '0', remedy: 'sysctl -w kernel.unprivileged_userns_clone=1' },
  {
    file: 'kernel/apparmor_restrict_unprivileged_userns',
    value: '1',
    remedy: 'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
  },
] as const;

/** Why a user namespace could not be made: looked for after a try has failed. @param says what the program said */
export async function userNamespaceObstacle(own: OwnPrivileges, says: string): Promise<Obstacle> {
  for (const { file, value, remedy } of settings) {
    const found = await readFile(`/proc/sys/${file}`, 'utf8').catch(() => '');
    if (found.trim() !== value) continue;
    const name = file.replace('/', '.');
    return { missing: `user namespaces are denied: ${name} is ${value}`, remedy: `as root: ${remedy}` };
  }
  if (own.filtered) {
    return {
      missing: `user namespaces are denied, it seems by the filter of system calls of a container: ${says}`,
      remedy: 'start the container with --security-opt seccomp=unconfined, or install proot in it',
    };
  }
  return { missing: `user namespaces cannot be made: ${says}` };
}
