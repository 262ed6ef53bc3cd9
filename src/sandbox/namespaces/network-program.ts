import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { connect, isIPv6 } from 'node:net';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { findHostProgram } from '../host-program.js';
import { onlyThese } from '../inherited-descriptors.js';
import { type PublishedPort, runUnavailable } from '../sandbox.js';
import { userNameServer } from '../user-network.js';

export interface NetworkProgramOptions {
  /** In the network to be connected, as this machine counts. */
  readonly pid: number;
  /** Which program: `bridge` is the first that works. */
  readonly network: 'bridge' | 'pasta' | 'slirp4netns';
  readonly ports: readonly PublishedPort[];
  readonly path: string;
  /** The network belongs to a user namespace of its own, which has to be entered first. */
  readonly ownUser: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** What connects a network with that of this machine; it ends with the pipe that the builder holds, like namespaces do. */
export interface NetworkProgram {
  close(): Promise<void>;
}

const packages = { pasta: 'passt', slirp4netns: 'slirp4netns' } as const;
/** Milliseconds. */
const patience = 20_000;

/**
 * Connects a network that has a loopback and nothing else with that of this machine. All programs give it the same
 * addresses: 10.0.2.100 is the process, 10.0.2.2 the way out, 10.0.2.3 what resolves names. This machine's own loopback
 * cannot be reached from it.
 * @throws LadingError RUN_UNAVAILABLE
 */
export async function startNetworkProgram(options: NetworkProgramOptions): Promise<NetworkProgram> {
  const { network, ports, path } = options;
  const names = network === 'bridge' ? (['pasta', 'slirp4netns'] as const) : ([network] as const);
  const problems: string[] = [];
  for (const name of names) {
    const program = findHostProgram(name, path);
    if (program === undefined) continue;
    if (name === 'slirp4netns' && ports.some(({ address }) => isIPv6(address))) {
      problems.push('slirp4netns publishes no ports on addresses of IPv6');
      continue;
    }
    const started = await (name === 'pasta' ? startPasta : startSlirp)(program, options);
    if (typeof started !== 'string') return started;
    problems.push(`${name}: ${started}`);
  }
  const wanted = names.map(name => packages[name]).join(' or ');
  throw runUnavailable(
    problems.length > 0
      ? `the process cannot be given a network: ${problems.join('; ')}`
      : `a network of its own for the process takes ${names.join(' or ')}, which ${names.length > 1 ? 'are' : 'is'} not installed`,
    {
      hint: `Install ${wanted}, or leave out --network and --publish: then a process has the network of this machine.`,
    },
  );
}

async function startPasta(program: string, options: NetworkProgramOptions): Promise<NetworkProgram | string> {
  const forwarded = (protocol: PublishedPort['protocol'], option: string): string[] => {
    const wanted = options.ports.filter(port => port.protocol === protocol);
    if (wanted.length === 0) return [option, 'none'];
    return wanted.flatMap(port => [option, `${port.address}/${port.hostPort}:${port.containerPort}`]);
  };
  const started = await start(options, 'pasta', [
    ...[program, '--config-net', '--quiet', '--runas', '0', '--netns-only', '--netns', '/sys/net'],
    ...['--ns-ifname', 'tap0', '--address', '10.0.2.100', '--netmask', '24', '--gateway', '10.0.2.2', '--no-map-gw'],
    ...['--dns-forward', userNameServer, '--tcp-ns', 'none', '--udp-ns', 'none'],
    ...[...forwarded('tcp', '--tcp-ports'), ...forwarded('udp', '--udp-ports')],
  ]);
  return typeof started === 'string' ? started : { close: () => end(started) };
}

async function startSlirp(program: string, options: NetworkProgramOptions): Promise<NetworkProgram | string> {
  const started = await start(options, 'slirp4netns', [
    ...[program, '--configure', '--mtu=65520', '--disable-host-loopback', '--enable-sandbox', '--enable-seccomp'],
    ...['--ready-fd=3', '--api-socket=/sys/api', '--netns-type=path', '/sys/net', 'tap0'],
  ]);
  if (typeof started === 'string') return started;
  try {
    for (const { protocol, address, hostPort, containerPort } of options.ports) {
      const request = { proto: protocol, host_addr: address, host_port: hostPort, guest_port: containerPort };
      const socket = connect(`/proc/${started.pid}/root/sys/api`);
      socket.end(JSON.stringify({ execute: 'add_hostfwd', arguments: request }));
      const answer = JSON.parse(await text(socket)) as { readonly error?: { readonly desc?: string } };
      if (answer.error === undefined) continue;
      throw new Error(`${address}:${hostPort} cannot be published: ${answer.error.desc ?? 'it does not say why'}`);
    }
    return { close: () => end(started) };
  } catch (error) {
    await end(started);
    return (error as Error).message;
  }
}

/**
 * What holds the program: the first process of a process namespace, which does nothing but read from the builder. It
 * prepares, in memory and out of sight of all others, a file that stands for the network, since programs that have given up
 * their privileges cannot open that of a process any more. What it says is its number, and then anything once the network is
 * there; nothing when that did not come to be.
 */
const holderScript = String.raw`
set -eu
read -r pid rest </proc/self/stat
printf '%s\n' "$pid"
mount -n -t tmpfs -o mode=700 tmpfs /sys
: >/sys/net
mount -n --bind "/proc/$1/ns/net" /sys/net
how=$2
shift 2
case $how in
  # It goes into the background when the network is there.
  pasta) "$@" </dev/null >/dev/null; printf ready ;;
  slirp4netns) "$@" </dev/null 3>&1 >/dev/null & ;;
esac
trap '' CHLD
exec cat >/dev/null 2>&1
`;

interface Held {
  readonly child: ChildProcess;
  readonly pid: number;
}

/** @returns what is in the way, or what runs */
async function start(
  { pid, path, ownUser, signal }: NetworkProgramOptions,
  how: keyof typeof packages,
  command: readonly string[],
): Promise<Held | string> {
  signal?.throwIfAborted();
  const holders = ['sh', 'unshare', 'nsenter', 'mount', 'cat'] as const;
  const [sh, unshare, nsenter, ...rest] = holders.map(name => findHostProgram(name, path));
  if (sh === undefined || unshare === undefined || nsenter === undefined || rest.includes(undefined)) {
    return 'it takes util-linux and coreutils, which are not installed';
  }
  const enter = ownUser ? [nsenter, '--target', String(pid), '--user', '--preserve-credentials', '--'] : [];
  const hold = [unshare, '--mount', '--pid', '--fork', '--kill-child', '--', sh, '-c', holderScript, 'lading'];
  const [first, ...args] = [...enter, ...hold, String(pid), how, ...command];
  const empty = openSync('/dev/null', 'r');
  let child: ChildProcess;
  try {
    child = spawn(first!, args, {
      ...{ cwd: '/', env: { PATH: path, LC_ALL: 'C' }, detached: true },
      stdio: onlyThese(['pipe', 'pipe', 'pipe'], empty),
    });
  } finally {
    closeSync(empty);
  }
  child.stdin!.on('error', () => {});
  let messages = '';
  child.stderr!.on('data', chunk => {
    messages = `${messages}${chunk}`.slice(-4096);
  });
  const failed = once(child, 'error').then(([error]) => Promise.reject(error));
  failed.catch(() => {});
  const abort = (): void => void child.stdin!.end();
  signal?.addEventListener('abort', abort, { once: true });
  const timer = setTimeout(abort, patience);
  try {
    const said = await Promise.race([readiness(child.stdout!), failed]);
    if (said !== undefined) return { child, pid: said };
    await end({ child, pid: 0 });
    signal?.throwIfAborted();
    return messages.trim().split('\n').slice(-3).join('; ') || 'it ended before the network was there';
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

/** The number of the holder, as soon as the network is there. */
async function readiness(output: Readable): Promise<number | undefined> {
  let said = '';
  for await (const chunk of output) {
    said += String(chunk);
    const [, pid] = /^(\d+)\n./.exec(said) ?? [];
    if (pid !== undefined) return Number(pid);
  }
  return undefined;
}

async function end({ child }: Held): Promise<void> {
  const closed = child.exitCode !== null || child.signalCode !== null ? undefined : once(child, 'exit');
  child.stdin!.end();
  await closed;
}
