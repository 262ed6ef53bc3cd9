/**
 * The inner half of the launcher, in Perl: inside the root it becomes the user, starts the program with exactly the
 * environment that was asked for, in its order, and tells how it ended. It uses nothing but what the interpreter has
 * built in: none of its modules are in the root.
 */
export const startProgram = String.raw`
sub parse_request {
  my ($text) = @_;
  my %ask;
  my @fields = split(/\0/, $text, -1);
  while (@fields > 1) { my $key = shift @fields; push @{$ask{$key}}, shift @fields; }
  return %ask;
}
our ($tell_failure, $terminal);
sub refuse { syswrite($tell_failure, "fail $_[0]\n"); exit 70; }

# Whom the files and the rights are asked for. Where proot only plays a user, it is that from the start.
sub become {
  my ($ask) = @_;
  return unless defined $ask->{uid}[0];
  my ($uid, $gid) = ($ask->{uid}[0] + 0, $ask->{gid}[0] + 0);
  my @groups = map { $_ + 0 } @{$ask->{group} || []};
  my $list = pack('L*', @groups);
  syscall($sys{setgroups}, scalar(@groups), $list) == 0 or refuse("setgroups: $!");
  syscall($sys{setresgid}, $gid, $gid, $gid) == 0 or refuse("setresgid: $!");
  syscall($sys{setresuid}, $uid, $uid, $uid) == 0 or refuse("setresuid: $!");
}

# The program along the PATH that it is given, as a shell would look for it.
sub candidates {
  my ($name, @env) = @_;
  return ($name) if $name =~ m{/};
  my ($path) = map { /^PATH=(.*)/s ? $1 : () } @env;
  return map { (length($_) ? $_ : '.') . '/' . $name } split(/:/, defined $path ? $path : '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', -1);
}

sub execute {
  my ($ask) = @_;
  my @argv = @{$ask->{arg}};
  my @env = @{$ask->{env} || []};
  my $argv = pack('p*', @argv) . pack('Q', 0);
  my $envp = (@env ? pack('p*', @env) : '') . pack('Q', 0);
  my $problem = 2;
  for my $path (candidates($argv[0], @env)) {
    syscall($sys{execve}, $path, $argv, $envp);
    my $error = $! + 0;
    $problem = $error if $error != 2 && $error != 20;
    last if $error != 2 && $error != 20 && $error != 13;
  }
  $! = $problem;
  my $why = $problem == 2 && $argv[0] !~ m{/} ? 'executable file not found in $PATH' : lcfirst("$!");
  syswrite(STDERR, "exec: \"$argv[0]\": $why\n");
  exit($problem == 2 ? 127 : 126);
}

# Runs the program to its end. $tell is the one way to say how that was, and the program does not have it.
sub start {
  my ($ask, $tell) = @_;
  $tell_failure = $tell;
  umask(022);
  chdir($ask->{cwd}[0]) or refuse("chdir $ask->{cwd}[0]: $!");
  my $tty = $ask->{inherit}[0];
  my $child = fork();
  defined $child or refuse("fork: $!");
  # What it was forked from goes on as long as it lives, and so nobody can write to the interpreter, though a program may come
  # by it: one whose interpreter is /proc/self/exe (CVE-2019-5736) starts it once more, with libraries of the image.
  if ($child == 0) {
    take_terminal($ask) if $terminal;
    $ask->{before}->() if $ask->{before};
    become($ask);
    close($tell);
    $SIG{INT} = $SIG{QUIT} = $SIG{TERM} = $SIG{HUP} = $SIG{PIPE} = 'DEFAULT';
    execute($ask);
  }
  syswrite($tell, "begun\n");
  # What somebody outside wants to tell the program; a terminal tells it without us.
  for my $name (qw(HUP INT QUIT TERM USR1 USR2 ALRM CONT WINCH)) { $SIG{$name} = sub { kill($name, $child); }; }
  $SIG{INT} = $SIG{QUIT} = $SIG{HUP} = 'IGNORE' if $tty;
  if ($terminal) { my $status = relay_terminal($child); syswrite($tell, "end $status\n"); exit 0; }
  for (;;) {
    my $pid = waitpid(-1, 0);
    next if $pid < 0 && $! == 4;
    last if $pid < 0;
    next unless $pid == $child;
    syswrite($tell, "end $?\n");
    exit 0;
  }
  refuse('the program is lost');
}
`;
