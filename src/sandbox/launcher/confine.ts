/**
 * The middle of the launcher, in Perl: what a process gives up before it is a sandbox. Everything here is inherited by
 * all that it starts and cannot be taken back.
 *
 * `allow` lines are `RIGHTS:PATH`: `r` to read and execute, `w` to write in files that are there, `m` to make and remove.
 * `errno` lines are `NUMBER:ERROR` of system calls; `socket` names the one that is left with local sockets only.
 */
export const confineProgram = String.raw`
# Landlock: only the named trees can be opened, whatever way leads there; and no process outside can be reached.
sub landlock {
  my ($ask) = @_;
  my $abi = syscall(444, 0, 0, 1);
  return 0 if $abi < 2;
  my $all = (1 << 14) - 1;
  $all |= 1 << 14 if $abi >= 3;
  $all |= 1 << 15 if $abi >= 5;
  my $attributes = pack('Q', $all);
  $attributes = pack('QQQ', $all, 0, 3) if $abi >= 6;
  my $rules = syscall(444, $attributes, length($attributes), 0);
  return 0 if $rules < 0;
  my $files = (1 << 0) | (1 << 1) | (1 << 2) | (1 << 14) | (1 << 15);
  my %rights = (r => (1 << 0) | (1 << 2) | (1 << 3), w => (1 << 1) | (1 << 14) | (1 << 15),
    m => (1 << 4) | (1 << 5) | (1 << 7) | (1 << 8) | (1 << 9) | (1 << 10) | (1 << 12) | (1 << 13));
  for my $line (@{$ask->{allow}}) {
    my ($letters, $path) = split(/:/, $line, 2);
    my $mask = 0;
    $mask |= $rights{$_} for split(//, $letters);
    sysopen(my $place, $path, 0x200000) or next;
    $mask &= $files unless -d $place;
    my $rule = pack('Ql', $mask & $all, fileno($place));
    syscall(445, $rules, 1, $rule, 0) == 0 or refuse("landlock_add_rule $path: $!");
  }
  # Privileges are never gained again: the price of being confined without being allowed to confine others.
  syscall($sys{prctl}, 38, 1, 0, 0, 0);
  syscall(446, $rules, 0) == 0 or refuse("landlock_restrict_self: $!");
  return 1;
}

# Seccomp: system calls that are not there. A tracer that does not know them would let their paths through as they are.
sub seccomp {
  my ($ask) = @_;
  return unless $ask->{filter};
  my @code = ([0x20, 0, 0, 4]);
  my $return = sub { [0x06, 0, 0, $_[0]] };
  my ($allow, $errno) = (0x7fff0000, 0x00050000);
  for my $filter (@{$ask->{filter}}) {
    # ARCH;FIRST;ALLOWED,...;NUMBER=ERRNO,...;SOCKET=ERRNO
    my ($arch, $first, $known, $calls, $socket) = map { defined $_ ? $_ : '' } split(/;/, $filter, -1);
    my @body = ([0x20, 0, 0, 0]);
    for my $pair (split(/,/, $calls)) {
      my ($number, $code) = split(/=/, $pair);
      push @body, [0x15, 0, 1, $number], $return->($errno | $code);
    }
    for my $number (split(/,/, $known)) { push @body, [0x15, 0, 1, $number], $return->($allow); }
    push @body, [0x35, 0, 1, $first], $return->($errno | 38);
    if ($socket =~ /^(\d+)=(\d+)$/) {
      # AF_UNIX and AF_NETLINK reach nobody outside.
      push @body, [0x15, 0, 4, $1], [0x20, 0, 0, 16], [0x15, 2, 0, 1], [0x15, 1, 0, 16], $return->($errno | $2);
    }
    push @body, $return->($allow);
    # Longer than a jump can be: over it by an unconditional one.
    push @code, [0x15, 1, 0, $arch], [0x05, 0, 0, scalar(@body)], @body;
  }
  # Programs of a processor that is not in the list.
  push @code, $return->($errno | 38);
  my $program = join('', map { pack('SCCL', @$_) } @code);
  my $header = pack('Sx6P', scalar(@code), $program);
  # Who may not confine others gains no privileges any more; in namespaces programs like sudo work.
  syscall($sys{prctl}, 38, 1, 0, 0, 0) unless $ask->{op};
  syscall($sys{seccomp}, 1, 0, $header) == 0 or refuse("seccomp: $!");
}

sub limits {
  my ($ask) = @_;
  for my $line (@{$ask->{limit}}) {
    my ($resource, $soft, $hard) = split(/:/, $line);
    my $value = pack('qq', $soft, $hard);
    syscall($sys{prlimit}, 0, $resource + 0, $value, 0) == 0 or refuse("limit $resource to $soft:$hard: $!");
  }
}

# Capabilities that are not in the set are taken out of the bounding set, and out of this process.
sub capabilities {
  my ($ask) = @_;
  return unless defined $ask->{capabilities}[0];
  my $keep = hex($ask->{capabilities}[0]);
  for my $number (0 .. 63) {
    next if ($keep >> $number) & 1;
    last if syscall($sys{prctl}, 23, $number, 0, 0, 0) < 0;
    syscall($sys{prctl}, 24, $number, 0, 0, 0);
  }
  my $header = pack('LL', 0x20080522, 0);
  my $data = pack('L6', 0, 0, 0, 0, 0, 0);
  syscall($sys{capget}, $header, $data) == 0 or refuse("capget: $!");
  my @sets = unpack('L6', $data);
  for my $half (0, 1) {
    my $mask = ($keep >> (32 * $half)) & 0xffffffff;
    $sets[3 * $half] &= $mask; $sets[3 * $half + 1] &= $mask; $sets[3 * $half + 2] = 0;
  }
  $data = pack('L6', @sets);
  syscall($sys{capset}, $header, $data) == 0 or refuse("capset: $!");
}
`;
