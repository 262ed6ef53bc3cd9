import { startDockerd } from '../../support/dockerd.js';
import { openPodman } from '../../support/podman.js';
import type { TimedCommand } from '../timed-process.js';
import type { Workbench } from '../workbench.js';

/** What moves images between a registry and a storage of its own, where it keeps layers unpacked. */
export interface Engine {
  /** What the figures of its commands leave out. */
  readonly note?: string | undefined;
  pull(image: string): TimedCommand;
  push(image: string): TimedCommand;
  /** Deletes an image with all of its layers. */
  forget(image: string): Promise<void>;
  stop(): Promise<void>;
}

export interface EngineKind {
  readonly name: 'docker' | 'podman';
  readonly needs: readonly string[];
  readonly start: (bench: Workbench) => Promise<Engine>;
}

/** The engines that lading stands beside. */
export const engines: readonly EngineKind[] = [
  { name: 'docker', needs: ['dockerd', 'docker-registry', 'root'], start: startDocker },
  { name: 'podman', needs: ['podman', 'docker-registry', 'root'], start: startPodman },
];

/** A daemon that has nothing, not even the base image: one that builds keeps that. */
async function startDocker(): Promise<Engine> {
  const { client, env, docker, stop } = await startDockerd();
  return {
    note: 'CPU and memory are those of the client alone, for the work is done by the daemon, which also unpacks what it pulls',
    pull: image => ({ argv: [client, 'pull', '--quiet', image], env }),
    push: image => ({ argv: [client, 'push', '--quiet', image], env }),
    forget: async image => void (await docker(['image', 'rm', '--force', image], { mayFail: true })),
    stop,
  };
}

async function startPodman(bench: Workbench): Promise<Engine> {
  const { settings, podman, remove } = await openPodman();
  const program = [bench.programs.path('podman'), ...settings];
  const plain = ['--quiet', '--tls-verify=false'];
  return {
    note: 'it also unpacks what it pulls',
    pull: image => ({ argv: [...program, 'pull', ...plain, image] }),
    push: image => ({ argv: [...program, 'push', ...plain, image] }),
    forget: async () => void (await podman(['rmi', '--all', '--force'], { mayFail: true })),
    stop: remove,
  };
}
