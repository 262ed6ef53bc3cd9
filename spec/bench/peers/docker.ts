import { startDockerd } from '../../support/dockerd.js';
import type { TimedCommand } from '../timed-process.js';

export const dockerNeeds = ['dockerd', 'docker-registry', 'root'];

export interface DockerPeer {
  /** What the figures of its commands leave out, and what the daemon keeps its files in. */
  readonly note: string;
  /** `docker build`, which is BuildKit inside the daemon. */
  build(tag: string, folder: string): TimedCommand;
  /** The same, and `docker push` after it. */
  buildAndPush(tag: string, folder: string): TimedCommand;
  /** `docker load`, which unpacks the layers. */
  load(file: string): TimedCommand;
  /** Deletes what builds left behind; the base image stays. */
  forget(tag: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a daemon and has it pull the base image. */
export async function startDockerPeer(base: string): Promise<DockerPeer> {
  const dockerd = await startDockerd();
  const { client, env, docker, stop } = dockerd;
  let driver: string;
  try {
    await docker(['pull', '--quiet', base]);
    driver = (await docker(['info', '--format', '{{.Driver}}'])).stdout.trim();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    note: `CPU and memory are those of the client alone, for the work is done by the daemon (storage: ${driver})`,
    build: (tag, folder) => ({ argv: [client, 'build', '--quiet', '--tag', tag, folder], env }),
    buildAndPush: (tag, folder) => ({
      argv: ['sh', '-c', '"$0" build --quiet --tag "$1" "$2" && "$0" push --quiet "$1"', client, tag, folder],
      env,
    }),
    load: file => ({ argv: [client, 'load', '--quiet', '--input', file], env }),
    forget: async tag => {
      await docker(['image', 'rm', '--force', tag], { mayFail: true });
      await docker(['builder', 'prune', '--all', '--force']);
    },
    stop,
  };
}
