import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** An attacker. */
export interface Exchanging {
  /** Ends it; both names are then where they were, or exchanged. */
  stop(): Promise<void>;
}

/**
 * Exchanges what two paths name, in one system call and as fast as it goes (some hundred thousand times a second), in a
 * process of its own: what a RUN does that shares a folder with somebody else. Each look at one of the names has then about
 * an even chance to see another thing than the look before it. Needs `perl`. `more` are further pairs, exchanged in turn: for
 * what looks at many names once, and is in between for longer.
 */
export async function exchanging(a: string, b: string, ...more: readonly string[]): Promise<Exchanging> {
  const program = `$| = 1; my $n = ${process.arch === 'arm64' ? 276 : 316};
    syscall($n, -100, $ARGV[0], -100, $ARGV[1], 2) == 0 or die "renameat2: $!"; print "begun\\n";
    for (;;) {
      for (my $i = 0; $i < @ARGV; $i += 2) { syscall($n, -100, $ARGV[$i], -100, $ARGV[$i + 1], 2); }
      exit if getppid() == 1;
    }`;
  const child: ChildProcess = spawn('perl', ['-e', program, a, b, ...more], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  await Promise.race([once(child.stdout!, 'data'), ended]);
  if (child.exitCode !== null) throw new Error(`${a} and ${b} cannot be exchanged`);
  return {
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
