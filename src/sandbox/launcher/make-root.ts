/**
 * The part of the launcher that makes a root for a process, in Perl: it runs as the first process of new namespaces, with
 * the tree of files of this machine still in sight, and carries out the operations of its request.
 *
 * First everything that is to be mounted is prepared on a file system in memory, at paths that nobody else can reach. That
 * lies over `/`: a process whose root is below it still sees the files of this machine by their names, so that no folder of
 * this machine has to be made, or hidden, for it. Then the new root is made the root of the namespace, and what was
 * prepared is moved to where the process is to see it. No name that begins with `/` leads to this machine any more: a path
 * in the root that is hostile, or is exchanged while it is being walked, leads to nothing that could be mounted on.
 *
 * Paths in the root are walked name by name, each opened in the folder before it without following a link; what a link
 * says is walked in the same way. What is mounted on is named by its descriptor, so that nothing can be put in its place.
 *
 * What has been bound is compared with what was meant, by device and inode: a path that somebody exchanges meanwhile leads
 * to an error, and not to other files.
 */
export const makeRootProgram = String.raw`
my %flags = (ro => 1, nosuid => 2, nodev => 4, noexec => 8, dev => 0, strictatime => 1 << 24);
my ($remount, $bind, $move, $all) = (32, 4096, 8192, 16384);

sub mount_on {
  my ($source, $target, $type, $flags, $data) = @_;
  syscall($sys{mount}, $source, $target, $type, $flags, $data) == 0 or refuse("mount $type on $target: $!");
}
sub flags_and_data {
  my ($flags, @data) = (0);
  for my $word (split(/,/, $_[0])) {
    if (defined $flags{$word}) { $flags |= $flags{$word}; } else { push @data, $word; }
  }
  return ($flags, join(',', @data));
}
# What a mount of another namespace must keep is kept: it may be made stricter, and not looser.
sub restrict {
  my ($target, $flags) = @_;
  my $found = "\0" x 256;
  syscall($sys{statfs}, $target, $found) == 0 or refuse("statfs $target: $!");
  my $kept = unpack('x80 Q', $found) & 15;
  syscall($sys{mount}, 0, $target, 0, $remount | $bind | $kept | $flags, 0) == 0 or refuse("$target cannot be restricted: $!");
}
sub put_file { my ($name, $text) = @_; sysopen(my $file, $name, 0301, 0644) or refuse("$name: $!"); syswrite($file, $text); }
sub kind_of { return ((stat($_[0]))[2] || 0) & 0170000; }
sub open_at {
  my ($folder, $name) = @_;
  # Only the name of a file, and no link.
  my $fd = syscall($sys{openat}, fileno($folder), $name, $path_only | $no_link, 0);
  return undef if $fd < 0;
  open(my $handle, '<&=', $fd) or refuse("open: $!");
  return $handle;
}
sub link_text {
  my ($link, $empty, $text) = ($_[0], '', "\0" x 4096);
  my $length = syscall($sys{readlinkat}, fileno($link), $empty, $text, 4096);
  $length >= 0 or refuse("readlink: $!");
  return substr($text, 0, $length);
}
# When a folder was changed: seconds with nine digits behind the point.
sub changed_at {
  my $found = "\0" x 256;
  syscall($sys{fstat}, fileno($_[0]), $found) == 0 or refuse("fstat: $!");
  return sprintf('%d.%09d', unpack('x88 q q', $found));
}

# Everything that is to be mounted. Ends at the word that the placing begins with.
sub prepare {
  my ($ask, $ops) = @_;
  my %plain;
  mount_on('none', '/', 0, $all | 1 << 18, 0);
  mount_on('tmpfs', '/', 'tmpfs', 0, 'mode=755');
  chdir('/..') or refuse("chdir: $!");
  while (defined(my $what = shift @$ops)) {
    my $take = sub { return splice(@$ops, 0, $_[0]); };
    if ($what eq 'text') { my ($name, $text) = $take->(2); put_file($name, $text); $plain{$name} = 1; }
    elsif ($what eq 'link') { my ($name, $target) = $take->(2); symlink($target, $name) or refuse("symlink: $!"); }
    elsif ($what eq 'mount') {
      my ($name, $type, $options) = $take->(3);
      mkdir($name) or -d $name or refuse("mkdir $name: $!");
      my ($flags, $data) = flags_and_data($options);
      mount_on($type, $name, $type, $flags, $data);
    }
    elsif ($what eq 'bind') {
      my ($name, $source, $identity, $mode) = $take->(4);
      if (-d $source) { mkdir($name) or refuse("mkdir $name: $!"); } else { put_file($name, ''); }
      mount_on($source, $name, 0, $bind, 0);
      my ($dev, $ino) = stat($name);
      "$dev:$ino" eq $identity or refuse("$source has been put in the place of what was to be mounted");
      restrict($name, 7) if $mode eq 'ro';
      restrict($name, 4) if $mode eq 'nodev';
    }
    elsif ($what eq 'share') { my ($name, $source) = $take->(2); mkdir($name); mount_on($source, $name, 0, $bind | $all, 0); }
    elsif ($what eq 'node') {
      my ($name, $major, $minor) = $take->(3);
      syscall($sys{mknodat}, -100, $name, 0020666, $major << 8 | $minor) == 0 or refuse("mknod $name: $!");
      chmod(0666, $name);
    }
    elsif ($what eq 'device') { my ($name, $source) = $take->(2); put_file($name, ''); mount_on($source, $name, 0, $bind, 0); }
    elsif ($what eq 'mask') {
      my ($name) = $take->(1);
      if (-d $name) { mount_on('tmpfs', $name, 'tmpfs', 15, 0); } elsif (-e $name) { mount_on('./dev/null', $name, 0, $bind, 0); }
    }
    elsif ($what eq 'protect') {
      my ($name) = $take->(1);
      if (-e $name) { mount_on($name, $name, 0, $bind, 0); restrict($name, 15); }
    }
    elsif ($what eq 'hostname') {
      my ($name) = $take->(1);
      syscall($sys{sethostname}, $name, length($name)) == 0 or refuse("sethostname: $!");
    }
    elsif ($what eq 'loopback') {
      # SIOCSIFFLAGS of "lo" to IFF_UP.
      socket(my $any, 2, 2, 0) or refuse("socket: $!");
      my $interface = pack('a16 s x22', 'lo', 1);
      ioctl($any, 0x8914, $interface) or refuse("the loopback cannot be set up: $!");
      # As in Docker, whoever a process runs as may listen on all ports of a network that is its own.
      sysopen(my $first, '/proc/sys/net/ipv4/ip_unprivileged_port_start', 1) and syswrite($first, '0');
    }
    elsif ($what eq 'terminal') { open_terminal() if has_terminal($ask); }
    elsif ($what eq 'seal') { restrict($take->(1), 15); }
    elsif ($what eq 'overlay') {
      mkdir('root') or refuse("mkdir root: $!");
      my ($flags, $data) = flags_and_data($take->(1));
      my ($type, $place, $volatile) = ('overlay', 'root', $take->(1));
      $volatile = $volatile eq '' ? '' : "$data,$volatile";
      # Kernels before 5.10 know nothing of it, and take the time.
      $volatile ne '' && syscall($sys{mount}, $type, $place, $type, $flags, $volatile) == 0 or mount_on($type, $place, $type, $flags, $data);
    }
    elsif ($what eq 'root') { return %plain; }
    else { refuse("unknown operation $what"); }
  }
  refuse('the operations have no root');
}

# What is mounted already, inside the root; and in which folders something was made, with their handles.
my (@mounted, %around);
sub told_made {
  my ($kind, $time, $folder, $handle, $path) = @_;
  # What was made behind a mount is not in the root.
  return if grep { index($path, "$_/") == 0 } @mounted;
  $around{$folder} = $handle;
  syswrite(REPORT, "made $kind $time " . unpack('H*', $path) . "\n");
}
# Where a path leads inside the root, as an open handle, and without links. What is missing is made: as a file or a folder
# at the end, and reported as made for a mount when it is a stub.
sub walk {
  my ($root, $path, $last, $stub) = @_;
  my @ahead = split(m{/+}, $path);
  my (@open, @names) = ($root);
  my $hops = 0;
  while (defined(my $name = shift @ahead)) {
    next if $name eq '' || $name eq '.';
    if ($name eq '..') { if (@names) { pop @open; pop @names; } next; }
    my $folder = $open[-1];
    my $next = open_at($folder, $name);
    if (!defined $next) {
      $! == 2 or refuse("$path: $!");
      my ($time, $here) = (changed_at($folder), join('/', '', @names, $name));
      my $file = $last eq 'file' && !grep { $_ ne '' && $_ ne '.' } @ahead;
      if ($file) {
        # Created, never opened: a link that appears here now is an error.
        my $fd = syscall($sys{openat}, fileno($folder), $name, 02000301, 0644);
        $fd >= 0 or refuse("$here: $!");
        open(my $made, '<&=', $fd);
      }
      else { syscall($sys{mkdirat}, fileno($folder), $name, 0755) == 0 or refuse("mkdir $here: $!"); }
      told_made($file ? 'file' : 'folder', $time, join('/', '', @names), $folder, $here) if $stub;
      $next = open_at($folder, $name);
      defined $next && kind_of($next) == ($file ? 0100000 : 0040000) or refuse("a path in the root changes while it is used: $here");
    }
    my $kind = kind_of($next);
    if ($kind == 0120000) {
      ++$hops <= 40 or refuse("too many symbolic links: $path");
      my $to = link_text($next);
      if ($to =~ m{^/}) { @open = ($root); @names = (); }
      unshift @ahead, split(m{/+}, $to);
      next;
    }
    push @names, $name;
    my $here = join('/', '', @names);
    if ($kind != 0040000) {
      refuse("not a folder: $here, on the way to $path") if $last ne 'file' || grep { $_ ne '' } @ahead;
      return ($next, $here);
    }
    push @open, $next;
  }
  refuse("a folder, where a file is to be mounted: $path") if $last eq 'file';
  return ($open[-1], join('/', '', @names));
}

# The current folder becomes the one that the process begins in.
# @returns a way to name descriptors that leads nowhere else
sub make_root {
  my ($ask) = @_;
  my @ops = @{$ask->{op}};
  umask(022);
  my %plain = prepare($ask, \@ops);
  # A way to name descriptors, whatever is in the root.
  mkdir('names') or refuse("mkdir: $!");
  mount_on('proc', 'names', 'proc', 14, 0);
  sysopen(my $names, 'names', $path_only) or refuse("open: $!");
  sysopen(my $stage, '.', $path_only) or refuse("open: $!");
  chdir('root') or refuse("chdir: $!");
  sysopen(my $root, '.', $path_only) or refuse("open: $!");
  my $here = '.';
  syscall($sys{pivot_root}, $here, $here) == 0 or refuse("pivot_root: $!");
  my $begin = $root;
  while (defined(my $what = shift @ops)) {
    if ($what eq 'place') {
      my ($name, $target, $kind) = splice(@ops, 0, 3);
      my ($at, $path) = walk($root, $target, $kind, 1);
      chdir($stage) or refuse("chdir: $!");
      mount_on($name, 'names/self/fd/' . fileno($at), 0, $plain{$name} ? $bind : $move, 0);
      push @mounted, $path;
    }
    elsif ($what eq 'enter') { ($begin) = walk($root, shift @ops, 'folder', 0); }
    elsif ($what eq 'seal') { chdir($stage) or refuse("chdir: $!"); restrict('names/self/fd/' . fileno($root), 1); }
    else { refuse("unknown operation $what"); }
  }
  syswrite(REPORT, "ready " . changed_at($around{$_}) . ' ' . unpack('H*', $_) . "\n") for sort keys %around;
  %around = ();
  chdir($begin) or refuse("chdir: $!");
  # First what lies over the old root, then the old root.
  my $top = '/';
  for (1, 2) { syscall($sys{umount2}, $top, 2) == 0 or refuse("umount: $!"); }
  return $names;
}
`;
