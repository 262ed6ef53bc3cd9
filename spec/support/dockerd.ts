import { existsSync } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeWithMounts } from './remove-with-mounts.js';
import { type RunOptions, type RunResult, runProgram } from './run-program.js';
import { startService } from './start-service.js';

export interface Dockerd {
  /** The client, and what it needs in its environment to meet this daemon, for those who run it by other means. */
  readonly client: string;
  readonly env: Readonly<Record<string, string>>;
  /** Runs the Docker client against this daemon, without any credentials or settings of the user. */
  docker(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  stop(): Promise<void>;
}

/** A Docker daemon of its own, as root, with its data in a temporary folder; it touches no network device and no firewall. */
export async function startDockerd(): Promise<Dockerd> {
  const folder = await mkdtemp(join(tmpdir(), 'lading-dockerd-'));
  const socket = `unix://${join(folder, 'sock')}`;
  const settings = join(folder, 'client');
  await mkdir(settings);
  // The client of the daemon's own package comes first: it has BuildKit built in and speaks the daemon's version.
  const client = existsSync('/usr/bin/docker') ? '/usr/bin/docker' : 'docker';
  const env = { DOCKER_HOST: socket, DOCKER_CONFIG: settings, DOCKER_BUILDKIT: '1' };
  const docker: Dockerd['docker'] = (args, options = {}) =>
    runProgram(client, args, { ...options, env: { ...env, ...options.env } });
  try {
    const service = await startService(
      'dockerd',
      [
        ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec'), '--host', socket],
        ...['--pidfile', join(folder, 'pid'), '--bridge=none', '--iptables=false', '--ip6tables=false'],
      ],
      {
        log: join(folder, 'log'),
        ready: async () => (await docker(['version'], { mayFail: true, timeout: 10 })).code === 0,
      },
    );
    return {
      client,
      env,
      docker,
      stop: async () => {
        await service.stop();
        await removeWithMounts(folder);
      },
    };
  } catch (error) {
    await removeWithMounts(folder);
    throw error;
  }
}
