/**
 * The part of the launcher that tells the kernel of an emulator, in Perl, when the root has been made.
 *
 * A user namespace may have registrations of its own (binfmt_misc, since Linux 6.7), which nobody outside of it sees. So the
 * process gets one for this alone, whoever the builder is: all users in it are the same as outside. It comes last, since
 * what has been mounted outside of it cannot be moved in it any more.
 */
export const emulateProgram = String.raw`
# $emulator and $names are open: no path leads to files of this machine any more.
sub emulate {
  my ($ask, $emulator, $names, $tell) = @_;
  syscall($sys{unshare}, 0x10020000) == 0 or refuse("unshare: $!");
  # Who is in it is for the guardian to say.
  syswrite($tell, "users\n");
  sysread($ask->{go}, my $word, 1) or exit 70;
  my ($type, $create, $register) = ('binfmt_misc', 6, 'register');
  my $context = syscall($sys{fsopen}, $type, 1);
  $context >= 0 && syscall($sys{fsconfig}, $context, $create, 0, 0, 0) == 0 or refuse("binfmt_misc: $!");
  # What is registered lasts as long as this is held.
  my $mount = syscall($sys{fsmount}, $context, 1, 0);
  $mount >= 0 or refuse("binfmt_misc: $!");
  syscall($sys{close}, $context);
  open(our $registrations, '<&=', $mount) or refuse("open: $!");
  my $file = syscall($sys{openat}, $mount, $register, 02000001, 0);
  $file >= 0 or refuse("register: $!");
  my $child = fork();
  defined $child or refuse("fork: $!");
  if ($child == 0) {
    chdir($names) or refuse("chdir: $!");
    my $rule = $ask->{pattern}[0] . 'self/fd/' . fileno($emulator) . ':POCF';
    syscall($sys{write}, $file, $rule, length($rule)) == length($rule) or refuse("the emulator cannot be registered: $!");
    syscall($sys{exit_group}, 0);
  }
  waitpid($child, 0);
  exit 70 if $?;
  syscall($sys{close}, $file);
}
`;
