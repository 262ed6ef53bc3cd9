const forks = ['clone', 'fork', 'vfork'];
const looks = ['stat', 'lstat', 'fstat', 'newfstatat', 'fstatat'];
/** Programs that give what they write the owner that they were shown of what they have looked at before. */
export const copiers = new Set([
  ...['cp', 'mv', 'busybox', 'useradd', 'userdel', 'usermod', 'groupadd', 'groupdel', 'groupmod', 'passwd', 'chpasswd'],
  ...[
    'chgpasswd',
    'chage',
    'chfn',
    'chsh',
    'gpasswd',
    'newusers',
    'pwconv',
    'pwunconv',
    'grpconv',
    'grpunconv',
    'vipw',
  ],
]);
const names = [
  ...['chown', 'lchown', 'fchown', 'fchownat', 'open', 'openat', 'creat', 'mkdir', 'mkdirat', 'symlink', 'symlinkat'],
  ...['mknod', 'mknodat', 'link', 'linkat', 'unlink', 'unlinkat', 'rmdir', 'rename', 'renameat', 'renameat2'],
  ...['dup', 'dup2', 'dup3', 'fcntl', 'setuid', 'setgid', 'setreuid', 'setregid', 'setresuid', 'setresgid'],
  ...['setfsuid', 'setfsgid', 'execve', 'utimensat', ...forks, ...looks],
];
/** Also as older programs call them, for ids and files of today's sizes. */
export const plainNames = new Map(names.flatMap(name => [name, `${name}32`, `${name}64`].map(each => [each, name])));

/** Calls that change nothing; a trace has to be told of them for few programs. */
const lookNames = new Set(looks.flatMap(name => [name, `${name}64`]));

export function isLook(name: string): boolean {
  return lookNames.has(name);
}

/** Whether an `OwnerTrace` has to be told of a call; others mean nothing to it. */
export function isOwnerCall(name: string): boolean {
  return plainNames.has(name);
}
