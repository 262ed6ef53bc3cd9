import type { Platform } from '../oci/platform.js';

/** Where programs are looked for when neither image nor Dockerfile says so; Windows has its own notion. */
export function defaultPath(platform: Platform): string | undefined {
  return platform.os === 'windows' ? undefined : '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
}

/** The shell of the shell form when no SHELL was given. */
export function defaultShell(platform: Platform): readonly string[] {
  return platform.os === 'windows' ? ['cmd', '/S', '/C'] : ['/bin/sh', '-c'];
}
