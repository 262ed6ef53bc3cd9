/**
 * The part of the launcher that is about terminals, in Perl. A process that is to have the streams of the builder, where
 * they are a terminal, has one of its own: of the instance that its `/dev/pts` is of. So it has a name for it, is told of
 * keys like Ctrl-C by it, and has no way to the terminal of the builder, where it could type.
 *
 * The keeper hands on what is typed and written. For that time the guardian makes the terminal of the builder pass
 * everything on as it is.
 */
export const terminalProgram = String.raw`
our ($terminal, $end);
sub has_terminal { my ($ask) = @_; return $ask->{inherit}[0] && -t STDIN && -t STDOUT; }

# In the folder with dev/pts; before anything of the root can be in the place of that.
sub open_terminal {
  sysopen($terminal, 'dev/pts/ptmx', 04402) or refuse("ptmx: $!");
  my $unlocked = pack('i', 0);
  # TIOCSPTLCK, TIOCGPTPEER, TIOCGPTN.
  ioctl($terminal, 0x40045431, $unlocked) or refuse("ptmx: $!");
  my $fd = ioctl($terminal, 0x5441, 0402) or refuse("terminal: $!");
  open($end, '+<&=', $fd + 0) or refuse("terminal: $!");
  my $number = pack('i', 0);
  ioctl($terminal, 0x80045430, $number) or refuse("ptmx: $!");
  put_file('dev/console', '');
  mount_on('dev/pts/' . unpack('i', $number), 'dev/console', 0, 4096, 0);
  same_size();
}
# TIOCGWINSZ, TIOCSWINSZ.
sub same_size { my $size = "\0" x 8; ioctl(STDIN, 0x5413, $size) and ioctl($terminal, 0x5414, $size); }

# The process that is to be the program becomes the leader of the terminal.
sub take_terminal {
  my ($ask) = @_;
  syscall($sys{setsid}) >= 0 or refuse("setsid: $!");
  ioctl($end, 0x540e, 0) or refuse("TIOCSCTTY: $!");
  chown($ask->{uid}[0] + 0, -1, $end) if defined $ask->{uid}[0];
  for my $fd (0, 1, (-t STDERR ? 2 : ())) { syscall($sys{dup3}, fileno($end), $fd, 0) >= 0 or refuse("dup3: $!"); }
}

# Until the program has ended. @returns its status
sub relay_terminal {
  my ($child) = @_;
  close($end);
  my ($typed, $open, $status) = ('', 1, undef);
  $SIG{WINCH} = \&same_size;
  # Only so that the wait below is broken off.
  $SIG{CHLD} = sub { };
  for (;;) {
    while ((my $pid = waitpid(-1, 1)) > 0) { $status = $? if $pid == $child; }
    my ($reading, $writing) = ('', '');
    vec($reading, fileno($terminal), 1) = 1;
    vec($reading, 0, 1) = 1 if $open && $typed eq '';
    vec($writing, fileno($terminal), 1) = 1 if $typed ne '';
    my $n = select($reading, $writing, undef, defined $status ? 0 : 0.2);
    # What it has written last is handed over before its end is told.
    return $status if defined $status && ($n <= 0 || !vec($reading, fileno($terminal), 1));
    next if $n <= 0;
    if (vec($reading, 0, 1)) { sysread(STDIN, $typed, 4096) or $! == 4 || $! == 11 or $open = 0; }
    if ($typed ne '' && vec($writing, fileno($terminal), 1)) {
      my $written = syswrite($terminal, $typed);
      substr($typed, 0, $written) = '' if $written;
    }
    if (vec($reading, fileno($terminal), 1)) {
      my $got = sysread($terminal, my $bytes, 65536);
      if ($got) { write_whole($bytes); next; }
      next if !defined $got && ($! == 4 || $! == 11);
      # Nobody has it open any more: but a process in between closes and opens it, and the program may go on without it.
      return $status if defined $status;
      select(undef, undef, undef, 0.02);
    }
  }
}
sub write_whole {
  my ($bytes) = @_;
  while ($bytes ne '') {
    my $written = syswrite(STDOUT, $bytes);
    if (defined $written) { substr($bytes, 0, $written) = ''; next; }
    if ($! == 11) { my $ready = ''; vec($ready, 1, 1) = 1; select(undef, $ready, undef, 1); next; }
    return if $! != 4;
  }
}

# The terminal of the builder, as it was and as it is to be. @returns what gives it back
sub raw_terminal {
  my $modes = "\0" x 64;
  ioctl(STDIN, 0x5401, $modes) or return sub { };
  my ($in, $out, $control, $local) = unpack('L4', $modes);
  my $raw = $modes;
  substr($raw, 0, 16) = pack('L4', $in & ~02753, $out & ~1, $control & ~0460 | 060, $local & ~0100113);
  # VTIME and VMIN.
  substr($raw, 17 + 5, 2) = pack('C2', 0, 1);
  local $SIG{TTOU} = 'IGNORE';
  ioctl(STDIN, 0x5402, $raw);
  return sub { local $SIG{TTOU} = 'IGNORE'; ioctl(STDIN, 0x5403, $modes); };
}
`;
