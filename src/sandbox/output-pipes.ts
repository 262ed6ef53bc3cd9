import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';

/** Pipes for what a process writes: `write` ends are descriptors to give to it, and to close then. */
export interface OutputPipes {
  readonly stdout: OutputPipe;
  readonly stderr: OutputPipe;
  /** Closes what is still open. */
  close(): void;
}

export interface OutputPipe {
  readonly read: Socket;
  readonly write: number;
}

/**
 * Node hands sockets to the programs that it starts, and a socket cannot be opened by its name: `echo x >/dev/stderr`,
 * which people write, would fail. A shell makes pipes, and these can be opened through `/proc` as long as it has them.
 */
const script =
  ': | { exec 3<&0; : | { exec 5<&0 0<&4 4<&-; read -r pid rest </proc/self/stat; echo "$pid"; exec cat >/dev/null; }; }';

/** @param shell the path of a POSIX shell of this machine. */
export async function outputPipes(shell: string, path: string): Promise<OutputPipes> {
  const holder = spawn(shell, ['-c', script], {
    stdio: ['ignore', 'pipe', 'ignore', 'ignore', 'pipe'],
    env: { PATH: path },
  });
  const ended = once(holder, 'close');
  let text = '';
  for await (const chunk of holder.stdout!) {
    text += String(chunk);
    if (text.includes('\n')) break;
  }
  const opened: number[] = [];
  try {
    const open = (fd: number, flags: number): number => {
      const descriptor = openSync(`/proc/${text.trim()}/fd/${fd}`, flags);
      opened.push(descriptor);
      return descriptor;
    };
    const pipe = (fd: number): OutputPipe => {
      const write = open(fd, constants.O_WRONLY);
      return { read: new Socket({ fd: open(fd, constants.O_RDONLY | constants.O_NONBLOCK), readable: true }), write };
    };
    const [stdout, stderr] = [pipe(3), pipe(5)];
    return {
      stdout,
      stderr,
      close: () => {
        for (const { read } of [stdout, stderr]) read.destroy();
      },
    };
  } catch (error) {
    for (const descriptor of opened) closeSync(descriptor);
    throw error;
  } finally {
    (holder.stdio[4] as Socket).destroy();
    await ended;
  }
}
