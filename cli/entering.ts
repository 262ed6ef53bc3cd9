import type { CliContext } from './context.js';

/** That this program can start itself anew in a user namespace, for calls which may have to. */
export function entering({ again, env }: CliContext): {
  readonly mayEnter: boolean;
  readonly path: string | undefined;
} {
  return { mayEnter: again !== undefined, path: env['PATH'] };
}
