import { startDockerd } from '../../support/dockerd.js';
import type { TimedCommand } from '../timed-process.js';
import type { BuilderPeer } from './builder-peer.js';

export const dockerNeeds = ['dockerd', 'docker-registry', 'root'];

/** `docker build` is the BuildKit inside the daemon. */
export interface DockerPeer extends BuilderPeer {
  /** `docker load`, which unpacks the layers. */
  load(file: string): TimedCommand;
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
    // There is no bridge that RUN could be connected with.
    build: (tag, folder) => ({ argv: [client, 'build', '--network=host', '--quiet', '--tag', tag, folder], env }),
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
