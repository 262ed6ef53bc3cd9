import { arch } from 'node:os';

/** The machines whose system calls the programs in Perl know the numbers of. */
const machines: Readonly<Partial<Record<NodeJS.Architecture, string>>> = { x64: 'x86_64', arm64: 'aarch64' };

/** Why programs cannot be started by the launcher here; nothing where they can. */
export function launcherObstacle(): string | undefined {
  return machines[arch() as NodeJS.Architecture] === undefined
    ? `system calls of ${arch()} processors are not known to it`
    : undefined;
}

/** What every program in Perl begins with: the processor, and the numbers of system calls on it by name. */
export function systemCalls(): string {
  return `our $machine = '${machines[arch() as NodeJS.Architecture] ?? ''}';\n${numbers}`;
}

const numbers = `
my %numbers = (
  x86_64 => [qw(prctl 157 seccomp 317 capget 125 capset 126 prlimit 302 setgroups 116 setresgid 119 setresuid 117 execve 59 memfd 319
    mknodat 259 fchownat 260 utimensat 280 statx 332 lsetxattr 189 fgetxattr 193 flistxattr 196
    close 3 dup3 292 mount 165 umount2 166 pivot_root 155 unshare 272 sethostname 170 openat 257 mkdirat 258 readlinkat 267
    fstat 5 statfs 137 epoll_create1 291 epoll_ctl 233 epoll_pwait 281
    write 1 exit_group 231 setsid 112 fsopen 430 fsconfig 431 fsmount 432)],
  aarch64 => [qw(prctl 167 seccomp 277 capget 90 capset 91 prlimit 261 setgroups 159 setresgid 149 setresuid 147 execve 221 memfd 279
    mknodat 33 fchownat 54 utimensat 88 statx 291 lsetxattr 6 fgetxattr 10 flistxattr 13
    close 57 dup3 24 mount 40 umount2 39 pivot_root 41 unshare 97 sethostname 161 openat 56 mkdirat 34 readlinkat 78
    fstat 80 statfs 43 epoll_create1 20 epoll_ctl 21 epoll_pwait 22
    write 64 exit_group 94 setsid 157 fsopen 430 fsconfig 431 fsmount 432)],
);
our %sys = @{$numbers{$machine}};
$_ += 0 for values %sys;
# O_NOFOLLOW differs; O_PATH and O_CLOEXEC do not.
our $no_link = $machine eq 'aarch64' ? 0100000 : 0400000;
our $path_only = 010000000 | 02000000;
`;
