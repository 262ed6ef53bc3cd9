/**
 * The outer half of the launcher, in Perl: it starts a sandbox in a child process and stays as its guardian.
 *
 * Node can start programs, but not become the parent of orphans, make pipes that can be opened again by name (its own are
 * sockets, and `echo >/dev/stderr` fails on those), nor drop privileges. This half does the first two; see
 * `confine.ts` and `start.ts` for the child. Descriptors: 3 is the request, and then the lifeline: when it ends, the
 * builder is gone, and so is everything here; 4 takes the report; 5, where it is open, is the standard error of the
 * program that carries the sandbox (its log).
 */
export const superviseProgram = String.raw`
sub say_end { my ($text) = @_; syswrite(REPORT, $text . "\n"); exit 0; }

# What whoever started the builder has left open for all programs is no concern of an image.
opendir(my $descriptors, '/proc/self/fd') or exit 70;
my @inherited = grep { /^\d+$/ && $_ > 5 && $_ != fileno($descriptors) } readdir($descriptors);
closedir($descriptors);
syscall($sys{close}, $_ + 0) for @inherited;

open(LIFELINE, '<&=', 3) or exit 70;
open(REPORT, '>&=', 4) or exit 70;
my $length = '';
while (length($length) < 4) { sysread(LIFELINE, $length, 4 - length($length), length($length)) or exit 70; }
$length = unpack('N', $length);
my $text = '';
while (length($text) < $length) { sysread(LIFELINE, $text, $length - length($text), length($text)) or exit 70; }
my %ask = parse_request($text);

# Orphans come to this process, so that none is lost.
syscall($sys{prctl}, 36, 1, 0, 0, 0);
$SIG{PIPE} = 'IGNORE';
$SIG{INT} = $SIG{TERM} = $SIG{HUP} = $SIG{QUIT} = 'IGNORE' if $ask{inherit}[0];

$^F = 2;
my ($out, $err, $outw, $errw);
# Tells which of both outputs was written to first, as select does not. The kernel packs its events on one processor.
my ($order, $event) = (-1, $machine eq 'x86_64' ? 'LQ' : 'Lx4Q');
unless ($ask{inherit}[0]) {
  pipe($out, $outw) && pipe($err, $errw) or say_end("fail pipe: $!");
  $order = syscall($sys{epoll_create1}, 02000000);
  for my $source ($out, $err) {
    my $readable = pack($event, 1, fileno($source));
    syscall($sys{epoll_ctl}, $order, 1, fileno($source), $readable) == 0 or say_end("fail epoll: $!");
  }
}
pipe(my $told, my $tell) or say_end("fail pipe: $!");
# What a tracer says is a lot, in small pieces. It goes through a pipe that takes much, and is not woken for each of them.
my ($log, $logw);
if ($ask{log}[0]) {
  pipe($log, $logw) or say_end("fail pipe: $!");
  fcntl($log, 1031, 1048576);
  fcntl($log, 4, 2048);
}
if (my $user = $ask{user}[0]) {
  # A user namespace in which the one user there is is root.
  my ($uid, $gid) = split(/:/, $user);
  syscall($sys{unshare}, 0x10000000) == 0 or say_end("fail unshare: $!");
  my %maps = (setgroups => 'deny', uid_map => "0 $uid 1", gid_map => "0 $gid 1");
  for my $file (qw(setgroups uid_map gid_map)) {
    open(my $map, '>', "/proc/self/$file") or say_end("fail $file: $!");
    syswrite($map, $maps{$file}) or say_end("fail $file: $!");
  }
}
# The child is the first process of a namespace of processes: with it, all others in there end.
if ($ask{op}) { syscall($sys{unshare}, 0x20000000) == 0 or say_end("fail unshare: $!"); }
# Before the program begins, whoever asked is told what everything ends with, and answers.
my ($go, $gow);
if ($ask{op}) { pipe($go, $gow) or say_end("fail pipe: $!"); $ask{go} = $go; }
elsif ($ask{wait}[0]) { syswrite(REPORT, "started $$\n"); sysread(LIFELINE, my $answer, 1) or exit 70; }
my $parent = $$;
my $give_back = $ask{op} && has_terminal(\%ask) ? raw_terminal() : undef;
END { $give_back->() if $give_back && $$ == $parent; }
my $child = fork();
defined $child or say_end("fail fork: $!");
if ($child == 0) {
  $SIG{INT} = $SIG{TERM} = $SIG{HUP} = $SIG{QUIT} = $SIG{PIPE} = 'DEFAULT';
  # SIGQUIT is what makes proot end all that it traces; SIGKILL would set them free, outside of the root.
  syscall($sys{prctl}, 1, $ask{proot} ? 3 : 9, 0, 0, 0);
  # Across namespaces there is no parent to ask for; but what nobody reads cannot be written to.
  if ($ask{op}) { close($told); syswrite($tell, "there\n"); }
  elsif (getppid() != $parent) { exit 70; }
  close(LIFELINE); close($told); close($gow) if $gow;
  unless ($ask{inherit}[0]) {
    open(STDOUT, '>&', $outw) && open(STDERR, '>&', $errw) or exit 70;
    close($out); close($err); close($outw); close($errw);
  }
  close($log) if $log;
  begin(\%ask, $text, $tell, $logw);
  exit 70;
}
close($tell); close($outw) if $outw; close($errw) if $errw; close($go) if $go;
open(STDOUT_TO, '>&', 1); open(STDERR_TO, '>&', 2);
close($logw) if $logw;
open(LOG_TO, '>&=', 5);

my %to = ();
if ($out) { $to{fileno($out)} = [$out, *STDOUT_TO]; $to{fileno($err)} = [$err, *STDERR_TO]; }
my ($status, $word, $gone, $ended, $deadline) = (undef, '', 0, 0, 0);
sub read_word { my $n = sysread($told, $word, 4096, length($word)); unless ($n) { close($told); undef $told; } }
my $busy = 0;
sub put { my ($target, $bytes) = @_; my $at = 0; while ($at < length($bytes)) { my $w = syswrite($target, $bytes, length($bytes) - $at, $at); last unless $w; $at += $w; } }
sub read_log {
  return unless $log;
  my $n = sysread($log, my $bytes, 1048576);
  $busy = $n ? 1 : 0;
  if ($n) { put(*LOG_TO, $bytes); } elsif (defined $n) { close($log); undef $log; }
}
sub relay {
  my ($from) = @_;
  my ($source, $target) = @{$to{$from}};
  my $n = sysread($source, my $bytes, 65536);
  unless ($n) { close($source); delete $to{$from}; return; }
  put($target, $bytes);
}
sub relay_in_order {
  my $size = length(pack($event, 0, 0));
  my $events = "\0" x (2 * $size);
  my $n = syscall($sys{epoll_pwait}, $order, $events, 2, 0, 0, 0);
  for my $at (0 .. $n - 1) {
    my (undef, $from) = unpack($event, substr($events, $at * $size, $size));
    relay($from) if $to{$from};
  }
}
# In the user namespace of a process, all that are in ours are whom they are.
sub same_users {
  my ($process) = @_;
  for my $name (qw(uid_map gid_map)) {
    open(my $own, '<', "/proc/self/$name") or return "fail $name: $!\n";
    my @map = map { /^\s*(\d+)\s+\d+\s+(\d+)/ ? [$1, $2] : () } <$own>;
    # One that begins with a range of all is taken by programs for there being no user namespace.
    if ($map[0][1] > 1) { my ($first, $count) = @{shift @map}; unshift @map, [$first, 1], [$first + 1, $count - 1]; }
    sysopen(my $its, "/proc/$process/$name", 1) or return "fail $name: $!\n";
    syswrite($its, join("\n", map { "$_->[0] $_->[0] $_->[1]" } @map)) or return "fail $name: $!\n";
  }
  return '';
}
# Who descends from this process: all that was started here, whatever it did to get away.
sub descendants {
  my (%parent, %seen);
  opendir(my $proc, '/proc') or return ();
  for my $pid (grep { /^\d+$/ } readdir($proc)) {
    open(my $stat, '<', "/proc/$pid/stat") or next;
    my $line = <$stat>; next unless defined $line;
    $parent{$pid} = $2 if $line =~ /^\d+ \(.*\) (\S) (\d+)/s && $1 ne 'Z';
  }
  my @open = ($$);
  while (defined(my $one = pop @open)) {
    for my $pid (keys %parent) { if ($parent{$pid} == $one && !$seen{$pid}++) { push @open, $pid; } }
  }
  return keys %seen;
}
sub reap { while ((my $pid = waitpid(-1, 1)) > 0) { $ended = 1 if $pid == $child; } }
sub end_all {
  if ($ask{op}) {
    unless ($ended) { kill('KILL', $child); waitpid($child, 0); $ended = 1; }
    return;
  }
  # First by the tracer, which knows its own; then one by one, what is traced before who traces.
  for my $round (1 .. 400) {
    reap();
    my @left = descendants();
    last unless @left;
    if ($ask{proot} && !$ended) {
      kill('QUIT', $child) if $round < 40;
      kill('KILL', grep { $_ != $child } @left) if $round > 2;
      kill('KILL', $child) if $round >= 40;
    } else { kill('KILL', @left); }
    read_log();
    select(undef, undef, undef, $round < 20 ? 0.005 : 0.05);
  }
}
for (;;) {
  my $bits = '';
  vec($bits, 3, 1) = 1 unless $gone;
  vec($bits, fileno($told), 1) = 1 if $told;
  vec($bits, $order, 1) = 1 if %to;
  vec($bits, fileno($log), 1) = 1 if $log && !$busy;
  my $n = select(my $ready = $bits, undef, undef, $busy ? 0.004 : $ended ? 0.01 : 0.25);
  read_log();
  if ($n > 0) {
    if (!$gone && vec($ready, 3, 1)) {
      my $n = sysread(LIFELINE, my $answer, 4096);
      if (!$n) { $gone = 1; } elsif ($gow) { syswrite($gow, 'x'); }
    }
    if ($told && vec($ready, fileno($told), 1)) {
      read_word();
      syswrite(REPORT, "started $child\n") if $word =~ s/^waiting\n//m;
      if ($word =~ s/^users\n//m) { $word .= same_users($child); syswrite($gow, 'x'); }
    }
    relay_in_order() if %to && vec($ready, $order, 1);
  }
  reap();
  if ($gone) { end_all(); exit 75; }
  # The one that counts has ended, or what carries it has: nobody is to outlive it.
  last if $word =~ /^(?:end|fail) .*\n/m || ($ended && !$told) || ($ended && $n <= 0);
}
end_all();
do { read_log(); } while ($log && $busy);
read_word() while $told && ready($told);
sub ready { my $bits = ''; vec($bits, fileno($_[0]), 1) = 1; return select($bits, undef, undef, 0) > 0; }
while (%to) {
  my $bits = ''; vec($bits, $order, 1) = 1;
  last if select($bits, undef, undef, 0.2) <= 0;
  relay_in_order();
}
# A program whose end nobody saw was taken down with all the rest.
say_end($word =~ /^((?:end|fail) .*)$/m ? $1 : $word =~ /^begun$/m ? 'end 9' : 'fail it ended before the program was started');
`;
