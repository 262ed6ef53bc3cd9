/**
 * The child of the launcher, in Perl: what it is confined to, and then either the tracer that carries the sandbox, with
 * the inner half as its program, or the inner half itself, in a changed root or in namespaces.
 */
export const beginProgram = `
sub begin {
  my ($ask, $text, $tell, $log) = @_;
  our $tell_failure = $tell;
  if ($ask->{op}) {
    $0 = 'lading';
    close($log) if $log;
    open(my $saved, '<&=', 5); close($saved);
    syscall($sys{unshare}, hex($ask->{namespaces}[0])) == 0 or refuse("unshare: $!");
    my $emulator;
    if (my $path = $ask->{emulator}[0]) { sysopen($emulator, $path, $path_only) or refuse("$path: $!"); }
    my $names = make_root($ask);
    close(REPORT);
    # Until whoever asked has done what is to be done before the program begins.
    if ($ask->{wait}[0]) { syswrite($tell, "waiting\\n"); sysread($ask->{go}, my $word, 1) or exit 70; }
    if ($emulator) { emulate($ask, $emulator, $names, $tell); }
    close($_) for grep { $_ } $ask->{go}, $names, $emulator;
    if (!$ask->{arg}) { syswrite($tell, "end 0\n"); exit 0; }
    $ask->{cwd} = ['.'];
    # This process keeps its rights, so that those without them can neither look into it nor change it.
    $ask->{before} = sub { limits($ask); seccomp($ask); capabilities($ask); };
    start($ask, $tell);
    return;
  }
  limits($ask);
  if (my $root = $ask->{chroot}[0]) {
    # Nodes that cannot be made are not there: that takes a capability which not all have.
    umask(0);
    for my $node (@{$ask->{node} || []}) {
      my ($major, $minor, $path) = split(/:/, $node, 3);
      syscall($sys{mknodat}, -100, $path, 0020666, ($major << 8) | $minor);
    }
    if ($ask->{allow}) { landlock($ask); }
    chroot($root) or refuse("chroot: $!");
    chdir('/') or refuse("chdir: $!");
    capabilities($ask);
    seccomp($ask);
    close(REPORT);
    close($log) if $log;
    open(my $saved, '<&=', 5); close($saved);
    start($ask, $tell);
    return;
  }
  # First of all: what is allowed is named by descriptors of the builder, whom a process with fewer capabilities may not look into.
  landlock($ask) or !$ask->{confined}[0] or refuse('this kernel has no Landlock');
  capabilities($ask);
  # The request goes on in memory, where no other user and no file has it.
  my $name = 'request';
  my $memory = syscall($sys{memfd}, $name, 0);
  $memory >= 0 or refuse("memfd_create: $!");
  open(my $file, '+>&=', $memory) or refuse("memfd_create: $!");
  binmode($file);
  print {$file} $text;
  { my $old = select($file); $| = 1; select($old); }
  seek($file, 0, 0);
  seccomp($ask);
  # 2 becomes the log, 3 the request, 4 the way to tell, 5 the standard error of the program.
  my $move = sub { $_[0] == $_[1] || syscall($sys{dup3}, $_[0] + 0, $_[1] + 0, 0) >= 0 or refuse("dup3: $!"); };
  $move->(2, 20); $move->(fileno($log), 2) if $log; $move->(20, 5);
  $move->(fileno($tell), 21); $move->($memory, 22);
  $move->(22, 3); $move->(21, 4);
  syscall($sys{close}, $_ + 0) for 20, 21, 22;
  for my $pair (@{$ask->{hostenv} || []}) { my ($key, $value) = split(/=/, $pair, 2); $ENV{$key} = $value; }
  my @command = @{$ask->{proot}};
  exec {$command[0]} @command or refuse("$command[0]: $!");
}
`;

/** The whole program inside a traced root: what {@link beginProgram} has arranged is taken up again. */
export const insideProgram = String.raw`
$^F = 2;
open(my $in, '<&=', 3) or exit 70;
open(our $tell_handle, '>&=', 4) or exit 70;
my $text = '';
while (sysread($in, $text, 65536, length($text))) { }
close($in);
open(STDERR, '>&', 5) or exit 70;
open(my $saved, '<&=', 5); close($saved);
my %ask = parse_request($text);
start(\%ask, $tell_handle);
`;
