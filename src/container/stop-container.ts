import { readdir, readFile, readlink } from 'node:fs/promises';
import { constants } from 'node:os';
import { kill } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeIdentity } from '../store/process-identity.js';
import type { Store } from '../store/store.js';
import type { CallOptions } from '../stream/bytes.js';
import type { Container } from './container.js';
import { ContainerShelf } from './container-shelf.js';

export interface StopContainerOptions extends CallOptions {
  readonly store: Store;
  /** How long the process has to end by itself, in milliseconds; 10 seconds by default. */
  readonly graceMs?: number | undefined;
}

const pollMs = 50;
/** Whoever runs a container and is told to end has this long to keep what was changed. */
const keepMs = 60_000;

/**
 * Ends the process of a container: it is asked to, by the signal that its image says, and then it has to. What it has
 * changed is kept. Nothing happens to one that does not run.
 */
export async function stopContainer(container: Container, options: StopContainerOptions): Promise<Container> {
  const { store, graceMs = 10_000, signal } = options;
  const shelf = new ContainerShelf(store);
  const runner = decodeIdentity(container.runner ?? '');
  if (container.status !== 'running' || runner === undefined) return container;
  for (const pid of await insideProcesses(runner.pid)) send(pid, stopSignal(container));
  const ended = await waitFor(shelf, container, graceMs, signal);
  if (ended !== undefined) return ended;
  // Whoever runs it kills the process, and keeps what it has changed.
  send(runner.pid, 'SIGTERM');
  return (await waitFor(shelf, container, keepMs, signal)) ?? (await shelf.find(container.id));
}

async function waitFor(
  shelf: ContainerShelf,
  { id }: Container,
  limitMs: number,
  signal: AbortSignal | undefined,
): Promise<Container | undefined> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const now = await shelf.find(id);
    if (now.status !== 'running') return now;
    if (performance.now() >= deadline) return undefined;
    await sleep(pollMs, undefined, { signal });
  }
}

function stopSignal({ config }: Container): NodeJS.Signals {
  const said = config.config?.StopSignal ?? '';
  const number = Number(said);
  const named = said.startsWith('SIG') ? said : `SIG${said}`;
  if (Object.hasOwn(constants.signals, named)) return named as NodeJS.Signals;
  const known = Object.entries(constants.signals).find(([, value]) => value === number);
  return (known?.[0] as NodeJS.Signals | undefined) ?? 'SIGTERM';
}

function send(pid: number, name: NodeJS.Signals): void {
  try {
    kill(pid, name);
  } catch {
    // It has ended meanwhile, or belongs to a user that we may not signal: then its runner ends it.
  }
}

/** Of all that a process has started, those that see another root: the nearest of each branch. */
async function insideProcesses(runner: number): Promise<number[]> {
  const children = new Map<number, number[]>();
  for (const name of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    const parent = Number(/\) \S (\d+)/.exec(stat)?.[1] ?? Number.NaN);
    if (!Number.isNaN(parent)) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const own = await namespaceOf(runner);
  const inside: number[] = [];
  const pending = [...(children.get(runner) ?? [])];
  for (let pid = pending.pop(); pid !== undefined; pid = pending.pop()) {
    if ((await namespaceOf(pid)) !== own) inside.push(pid);
    else pending.push(...(children.get(pid) ?? []));
  }
  return inside;
}

async function namespaceOf(pid: number): Promise<string> {
  const [root, namespace] = await Promise.all(
    [`/proc/${pid}/root`, `/proc/${pid}/ns/pid`].map(path => readlink(path).catch(() => '?')),
  );
  return `${root} ${namespace}`;
}
