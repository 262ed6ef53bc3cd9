import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';
import { findHostProgram, systemFolders } from './host-program.js';
import { type IdRanges, idRanges } from './id-ranges.js';
import { ownPrivileges } from './own-privileges.js';
import { runUnavailable } from './sandbox.js';

/** What it takes to start a program as root of a user namespace with ranges of ids. */
export interface UserNamespace {
  readonly uid: number;
  readonly gid: number;
  readonly ranges: IdRanges;
  readonly programs: Readonly<Record<(typeof programNames)[number], string>>;
}

const programNames = ['sh', 'unshare', 'newuidmap', 'newgidmap', 'setpriv'] as const;

/**
 * The namespace that the builder's user can have, where it has ranges of ids and is not root anyway; else what is missing
 * for it. It is not tried.
 */
export async function findUserNamespace(searchPath: string): Promise<UserNamespace | { readonly missing: string }> {
  const { uid, gid, noNewPrivileges } = ownPrivileges();
  if (uid === 0) return { missing: 'the builder is root' };
  const ranges = idRanges(uid);
  if (ranges === undefined) return { missing: 'the user has no range of ids in /etc/subuid and /etc/subgid' };
  if (noNewPrivileges) return { missing: 'newuidmap cannot work where programs gain no privileges (no_new_privs)' };
  const found = programNames.map(name => [name, findHostProgram(name, searchPath)] as const);
  const absent = found.filter(([, path]) => path === undefined).map(([name]) => name);
  if (absent.length > 0) return { missing: `not installed: ${absent.join(', ')}` };
  return { uid, gid, ranges, programs: Object.fromEntries(found) as unknown as UserNamespace['programs'] };
}

export interface UserNamespaceStart {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** `ignore` for a try. */
  readonly streams: 'inherit' | 'ignore';
}

/** Says that it is there, waits for its ids, and becomes the program; with them the kernel makes it root again. */
const script = 'printf x >&4; exec 4>&-; read -r go <&3 || exit 125; exec 3<&-; exec "$@"';

/**
 * Starts a program as root of a new user namespace: the user itself is 0 in it, and its ranges follow from 1.
 * @throws LadingError RUN_UNAVAILABLE
 */
export async function startInUserNamespace(namespace: UserNamespace, start: UserNamespaceStart): Promise<ChildProcess> {
  const { programs, uid, gid, ranges } = namespace;
  const { streams, cwd, env } = start;
  const { execFile, spawn } = await import('node:child_process');
  const child = spawn(
    programs.unshare,
    // Groups of the user that the namespace has no name for would stay with every file that is made.
    [
      '--user',
      '--',
      programs.sh,
      '-c',
      script,
      'lading',
      programs.setpriv,
      '--clear-groups',
      ...['--pdeathsig', 'KILL'],
      '--',
      start.program,
      ...start.args,
    ],
    { cwd, env, stdio: [streams, streams, streams, 'pipe', 'pipe'] },
  );
  const go = child.stdio[3] as Writable;
  const ready = child.stdio[4] as Readable;
  go.on('error', () => {});
  try {
    const exited = once(child, 'exit').then(() => {
      throw runUnavailable('user namespaces cannot be made');
    });
    exited.catch(() => {});
    await Promise.race([once(ready, 'data'), exited]);
    const map = (program: string, own: number, range: IdRanges['uids']): Promise<unknown> =>
      promisify(execFile)(program, [child.pid!, 0, own, 1, 1, range.start, range.count].map(String), {
        env: { PATH: systemFolders.join(':'), LC_ALL: 'C' },
      });
    await Promise.all([map(programs.newuidmap, uid, ranges.uids), map(programs.newgidmap, gid, ranges.gids)]);
    go.end('go\n');
    return child;
  } catch (error) {
    child.kill('SIGKILL');
    const { stderr } = error as { stderr?: string };
    throw stderr === undefined ? error : runUnavailable(`ids cannot be mapped: ${stderr.trim()}`);
  }
}
