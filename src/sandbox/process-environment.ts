/** How the environment of a process gets to it through programs of this machine that must not be steered by it. */
export interface CarriedEnvironment {
  /** For the programs of this machine, and so for the process. */
  readonly carried: Readonly<Record<string, string>>;
  /** `NAME=value` that `env` of the root is to set. */
  readonly inside: readonly string[];
}

/** Names that dynamic loaders, the C library, shells and the programs that make sandboxes act upon. */
const steering = new RegExp(
  [
    '^(?:LD|GLIBC|MALLOC|GCONV|LIBMOUNT|LIBBLKID|PROOT|BASH|DYLD|BASH_FUNC)_',
    '^(?:_RLD|UL_|LIBSMARTCOLS|LADING_)',
    '^(?:LOCPATH|NLSPATH|TMPDIR|TMP|TEMP|ENV|SHELLOPTS|BASHOPTS|POSIXLY_CORRECT|RES_OPTIONS|HOSTALIASES|LOCALDOMAIN)$',
    '^(?:GETCONF_DIR|NIS_PATH|TZDIR|TZ|ARGV0|IFS|PS4|CDPATH|PWD|OLDPWD|SHLVL|_)$',
  ].join('|'),
);

const shellName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** What shells of this machine add to the environment by themselves; a process gets these only when it asks for them. */
export const shellNames = ['PWD', 'OLDPWD', 'SHLVL', '_'] as const;

/**
 * Most variables travel in the environment, since values may be secret and command lines can be read by everyone. The few
 * that would steer the programs on the way, and those with names that shells drop, are set in the root at the end.
 */
export function carryEnvironment(env: readonly string[]): CarriedEnvironment {
  const all = new Map(env.map(entry => splitVariable(entry)));
  const carried: Record<string, string> = {};
  const inside: string[] = [];
  for (const [name, value] of all) {
    if (name === '') continue;
    if (shellName.test(name) && !steering.test(name)) carried[name] = value;
    else inside.push(`${name}=${value}`);
  }
  return { carried, inside };
}

function splitVariable(entry: string): [name: string, value: string] {
  const at = entry.indexOf('=');
  return at === -1 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
}
