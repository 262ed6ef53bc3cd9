import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeWithMounts } from '../../support/remove-with-mounts.js';
import { runProgram } from '../../support/run-program.js';
import { startService } from '../../support/start-service.js';
import type { BuilderPeer } from './builder-peer.js';
import type { Programs } from './programs.js';

export const buildkitNeeds = ['buildkitd', 'buildctl', 'runc', 'docker-registry', 'root'];

/**
 * BuildKit as it is today, in a daemon of its own: that of a distribution's Docker may be years old. Images are kept
 * uncompressed, as Docker keeps them.
 */
export async function startBuildkitPeer(base: string, programs: Programs): Promise<BuilderPeer> {
  const folder = await mkdtemp(join(tmpdir(), 'lading-buildkitd-'));
  const address = `unix://${join(folder, 'sock')}`;
  const client = [programs.path('buildctl'), '--addr', address];
  const buildctl = (args: readonly string[], mayFail = false) =>
    runProgram(client[0]!, [...client.slice(1), ...args], { mayFail, timeout: 600 });
  const build = (context: string, output: string): readonly [string, ...string[]] => [
    ...(client as [string, ...string[]]),
    ...['build', '--progress', 'plain', '--frontend', 'dockerfile.v0', '--opt', 'image-resolve-mode=local'],
    ...['--local', `context=${context}`, '--local', `dockerfile=${context}`, '--output', output],
  ];
  const stored = (tag: string): string => `type=image,name=${tag},compression=uncompressed`;
  try {
    const settings = join(folder, 'buildkitd.toml');
    const registry = JSON.stringify(base.split('/')[0]);
    await writeFile(settings, `[registry.${registry}]\n  http = true\n`);
    const service = await startService(
      programs.path('buildkitd'),
      [
        ...['--config', settings, '--root', join(folder, 'data'), '--addr', address],
        // There is no bridge that RUN could be connected with, and nothing is to be deleted while it is measured.
        ...['--oci-worker=true', '--containerd-worker=false', '--oci-worker-net=host', '--oci-worker-gc=false'],
      ],
      {
        log: join(folder, 'log'),
        ready: async () => (await buildctl(['debug', 'workers'], true)).code === 0,
      },
    );
    const stop = async (): Promise<void> => {
      await service.stop();
      await removeWithMounts(folder);
    };
    const first = join(folder, 'first');
    await mkdir(first);
    // A folder that no workload makes: all that is to stay of it is the base image, pulled and unpacked.
    await writeFile(join(first, 'Dockerfile'), `FROM ${base}\nWORKDIR /unpacked\n`);
    const pull = () => buildctl(build(first, stored('localhost/unpacked')).slice(client.length));
    try {
      await pull();
    } catch (error) {
      await stop();
      throw error;
    }
    return {
      note: 'CPU and memory are those of the client alone, for the work is done by the daemon',
      build: (tag, context) => ({ argv: build(context, stored(tag)) }),
      buildAndPush: (tag, context) => ({ argv: build(context, `type=image,name=${tag},push=true`) }),
      forget: async () => {
        await buildctl(['prune', '--all']);
        await pull();
      },
      stop,
    };
  } catch (error) {
    await removeWithMounts(folder);
    throw error;
  }
}
