import { chmod, mkdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { LadingError } from '../errors/errors.js';
import { systemCalls } from './launcher/system-calls.js';

/**
 * Copies what is at a path, with everything in it and everything about it, to a path that is free. Other processes may
 * be changing it meanwhile (a cache is shared), and what they put links to is none of it: each folder is entered, and each file
 * opened, by its name alone in a folder that has been entered, and never through a link. `cp -a` looks at a name and then
 * opens it by its path, and so copies files of this machine for whoever is quick enough.
 * @param perl path of the interpreter
 * @throws LadingError IO
 */
export async function copyTree(source: string, target: string, perl: string): Promise<void> {
  const { execFile } = await import('node:child_process');
  try {
    await promisify(execFile)(perl, ['-e', `${systemCalls()}${copyProgram}`, source, target], {
      env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' },
    });
  } catch (cause) {
    throw new LadingError('IO', `${source} cannot be copied for a mount that is only read`, {
      details: { path: source },
      cause,
    });
  }
}

/** A folder in which everybody can make files, whatever the umask is. */
export async function makeOpenFolder(path: string, mode = 0o1777): Promise<void> {
  await mkdir(path);
  await chmod(path, mode);
}

/**
 * In Perl, as the launcher is: Node has no way to work in a folder that is held, nor for extended attributes. What vanishes,
 * or becomes something else between two looks, is left out.
 */
const copyProgram = String.raw`
use Errno;
my ($source, $target) = @ARGV;
my ($directory, $nofollow) = $machine eq 'aarch64' ? (0x4000, 0x8000) : (0x10000, 0x20000);
my $nonblock = 0x800;
my %names;
umask(0);
sub fail { print STDERR "$_[0]: $!\n"; exit 1; }
# Somebody else is at work, unless it is something that may not be read.
sub gone { fail($_[0]) if $!{EACCES} || $!{EPERM} || $!{EMFILE}; }

# Access and change to the nanosecond, where the kernel tells.
sub times_of {
  my ($fd, $name, $stat) = @_;
  my $buffer = "\0" x 256;
  syscall($sys{statx}, $fd, $name, 0x1100, 0x60, $buffer) == 0 or return pack('qqqq', $$stat[8], 0, $$stat[9], 0);
  return pack('qqqq', unpack('x64qL', $buffer), unpack('x112qL', $buffer));
}

# Owner before mode, and mode before attributes: the kernel takes bits away with the owner. Times come last.
sub about {
  my ($to, $stat, $times, $handle) = @_;
  syscall($sys{fchownat}, -100, $to, $$stat[4], $$stat[5], 0x100);
  chmod($$stat[2] & 07777, $to) unless -l $to;
  attributes(fileno($handle), $to) if $handle;
  syscall($sys{utimensat}, -100, $to, $times, 0x100);
}

sub attributes {
  my ($fd, $to) = @_;
  my $list = "\0" x 65536;
  my $size = syscall($sys{flistxattr}, $fd, $list, length($list));
  return if $size <= 0;
  for my $key (split(/\0/, substr($list, 0, $size))) {
    my $value = "\0" x 65536;
    my $length = syscall($sys{fgetxattr}, $fd, $key, $value, length($value));
    # What this user may not give, the copy does not have, as with cp.
    syscall($sys{lsetxattr}, $to, $key, $value, $length, 0) if $length >= 0;
  }
}

# Copies one name of the current folder, which $around holds.
sub entry {
  my ($name, $to, $around) = @_;
  my @stat = lstat($name) or return;
  if (-d _) {
    sysopen(my $folder, $name, $directory | $nofollow) or return gone($name);
    chdir($folder) or return gone($name);
    inside($folder, $to);
    chdir($around) or fail('..');
  } elsif (-f _) {
    sysopen(my $file, $name, $nofollow | $nonblock) or return gone($name);
    content($file, $to);
  } elsif (-l _) {
    my $times = times_of(-100, $name, \@stat);
    my $link = readlink($name);
    return unless defined $link;
    symlink($link, $to) or fail($to);
    about($to, \@stat, $times);
  } elsif (syscall($sys{mknodat}, -100, $to, ($stat[2] & 0170000) | 0600, $stat[6]) == 0) {
    about($to, \@stat, times_of(-100, $name, \@stat));
  }
}

# Copies the current folder, which $folder holds.
sub inside {
  my ($folder, $to) = @_;
  mkdir($to, 0700) or fail($to);
  my @stat = stat($folder) or fail($to);
  my $times = times_of(fileno($folder), '', \@stat);
  opendir(my $list, '.') or return gone($to);
  my @all = grep { $_ ne '.' && $_ ne '..' } readdir($list);
  closedir($list);
  entry($_, "$to/$_", $folder) for @all;
  about($to, \@stat, $times, $folder);
}

sub content {
  my ($file, $to) = @_;
  my @stat = stat($file) or fail($to);
  return unless -f _;
  if ($stat[3] > 1) {
    my $first = $names{"$stat[0]:$stat[1]"};
    return if defined $first && link($first, $to);
    $names{"$stat[0]:$stat[1]"} = $to;
  }
  my $times = times_of(fileno($file), '', \@stat);
  sysopen(my $copy, $to, 0301, 0600) or fail($to);
  # Where the file system can share the bytes, none is written.
  if (!ioctl($copy, 0x40049409, fileno($file))) {
    for (;;) {
      my $n = sysread($file, my $bytes, 1 << 20);
      defined $n or fail($to);
      last if $n == 0;
      for (my $at = 0; $at < $n;) { $at += syswrite($copy, $bytes, $n - $at, $at) || fail($to); }
    }
  }
  close($copy);
  about($to, \@stat, $times, $file);
}

# The path itself is what has been meant: where others could exchange it, it is one of a descriptor.
sysopen(my $top, $source, $nonblock) or fail($source);
if (-d $top) { chdir($top) or fail($source); inside($top, $target); } else { content($top, $target); }
`;
