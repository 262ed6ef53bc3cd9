import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { ioError } from '../../errors/io-error.js';
import type { MountPermissions } from '../../plan/run-mount.js';
import { give, type PrivateFolder } from './private-folder.js';

/** A socket of our own in front of an agent: it has the owner and mode that a mount asks for, and goes with the command. */
export interface AgentSocket {
  readonly path: string;
  close(): Promise<void>;
}

export async function agentSocket(
  name: string,
  agent: string,
  folder: PrivateFolder,
  permissions: MountPermissions,
): Promise<AgentSocket> {
  const path = join(folder.path, name);
  const open = new Set<Socket>();
  const server = createServer(client => {
    const upstream = connect(agent);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        open.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(ioError(error, path)));
    server.listen(path, resolve);
  });
  await give(path, permissions);
  return {
    path,
    close: () =>
      new Promise(resolve => {
        for (const socket of open) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
