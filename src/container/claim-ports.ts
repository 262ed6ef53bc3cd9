import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { LadingError } from '../errors/errors.js';
import type { PublishedPort } from '../sandbox/sandbox.js';
import type { PublishRequest } from './publish.js';

/**
 * Finds a port of this machine for each that is to be published, by listening there for a moment.
 * @throws LadingError USAGE when one cannot be had
 */
export async function claimPorts(requests: readonly PublishRequest[]): Promise<PublishedPort[]> {
  const claimed: PublishedPort[] = [];
  // All are held until the last is found: two must not get the same.
  const held: Array<() => Promise<void>> = [];
  try {
    // Those that leave a choice come last.
    const choice = ({ hostPorts: [first, last] = [0, 65_535] }: PublishRequest): number => last - first;
    for (const request of [...requests].sort((a, b) => choice(a) - choice(b))) {
      const { port, release } = await claim(request);
      held.push(release);
      const { address, containerPort, protocol } = request;
      claimed.push({ address, hostPort: port, containerPort, protocol });
    }
  } finally {
    for (const release of held) await release();
  }
  return claimed.sort((a, b) => a.containerPort - b.containerPort || a.hostPort - b.hostPort);
}

interface Held {
  readonly port: number;
  readonly release: () => Promise<void>;
}

async function claim({ protocol, address, hostPorts: [first, last] = [0, 0] }: PublishRequest): Promise<Held> {
  let problem: unknown;
  for (let port = first; port <= last; port++) {
    try {
      return await (protocol === 'tcp' ? listen : bind)(address, port);
    } catch (error) {
      problem = error;
    }
  }
  const shown = first === last ? `port ${first}` : `all of the ports ${first} to ${last}`;
  const { code = '' } = problem as { readonly code?: string };
  const reason =
    { EADDRINUSE: 'taken already', EACCES: 'not for this user', EADDRNOTAVAIL: 'not of this machine' }[code] ?? code;
  throw new LadingError('USAGE', `${shown} of ${address} cannot be published: ${reason}`, {
    details: { option: 'publish' },
    hint: 'Take another port, or leave out the one of this machine: lading port says which one was found.',
    cause: problem,
  });
}

async function listen(address: string, port: number): Promise<Held> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: address, exclusive: true }, resolve);
  });
  return {
    port: (server.address() as { readonly port: number }).port,
    release: () => new Promise(resolve => server.close(() => resolve())),
  };
}

async function bind(address: string, port: number): Promise<Held> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ port, address, exclusive: true }, resolve);
  });
  return { port: socket.address().port, release: () => new Promise(resolve => socket.close(() => resolve())) };
}
