import { sep } from 'node:path';
import type { CliContext } from './context.js';

/** A path as people write it, with `~` for their home. */
export function familiarPath(path: string, { env, home }: CliContext): string {
  const folder = env['HOME'] ?? home;
  return path.startsWith(`${folder}${sep}`) ? `~${path.slice(folder.length)}` : path;
}
