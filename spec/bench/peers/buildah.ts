import type { TimedCommand } from '../timed-process.js';
import type { Workbench } from '../workbench.js';

export const buildahNeeds = ['buildah', 'docker-registry', 'root'];

export interface BuildahPeer {
  build(tag: string, folder: string, cache: boolean): TimedCommand;
  forget(tag: string): Promise<void>;
}

/** A storage of its own that has the base image. */
export async function openBuildah(bench: Workbench, storage: string): Promise<BuildahPeer> {
  const { name } = await bench.base();
  const program = [
    bench.programs.path('buildah'),
    ...['--root', `${storage}/root`, '--runroot', `${storage}/runroot`, '--storage-driver', 'overlay'],
  ];
  await bench.run([...program, 'pull', '--quiet', '--tls-verify=false', name]);
  return {
    build: (tag, folder, cache) => ({
      argv: [
        ...program,
        ...['build', '--quiet', '--pull-never', '--isolation', 'chroot', `--layers=${cache}`, '--tag', tag, folder],
      ],
    }),
    forget: async tag => {
      await bench.run([...program, 'rmi', '--force', tag], { mayFail: true });
    },
  };
}
