import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.js';
import { type Dockerd, startDockerd } from '../support/dockerd.js';
import { describeWith, patience, runProgram } from '../support/programs.js';
import { writeBusyboxContext } from './busybox-image.js';
import { type Lading, openLading } from './lading.js';

interface RawIndex {
  readonly manifests: ReadonlyArray<{ readonly digest: string; readonly platform: object }>;
}

describeWith(['docker-registry', 'skopeo', 'busybox', 'root', 'dockerd', 'docker'], 'what is said about images', () => {
  let work: string;
  let registry: DockerRegistry;
  let dockerd: Dockerd;
  let lading: Lading;

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'lading-referrers-'));
    registry = await startDockerRegistry();
    dockerd = await startDockerd();
    lading = await openLading();
    await writeBusyboxContext(join(work, 'context'));
    await writeFile(join(work, 'parts.json'), '{"parts":[]}');
  }, patience);

  afterAll(async () => {
    await dockerd?.stop();
    await registry?.stop();
    await lading?.remove();
    if (work) await rm(work, { recursive: true, force: true });
  });

  const attach = (...args: string[]) =>
    lading.run(['artifact', 'attach', '--artifact-type', 'application/spdx+json', ...args, join(work, 'parts.json')]);

  // `docker manifest` of 20.10 reads no media types but Docker's own.
  const output = 'type=registry,oci-mediatypes=false';
  const inspect = (...args: string[]) => dockerd.docker(['manifest', 'inspect', '--insecure', ...args]);
  const readers: Readonly<Record<string, (name: string) => Promise<string>>> = {
    docker: async name => (await inspect(name)).stdout,
    skopeo: async name =>
      (await runProgram('skopeo', ['inspect', '--raw', '--tls-verify=false', `docker://${name}`])).stdout,
  };

  it(
    'shows up nowhere among the platforms of an index, for Docker and for skopeo',
    async () => {
      const name = `${registry.host}/said/both:1`;
      const platforms = ['linux/amd64', 'linux/arm64'];
      await lading.build(['--platform', platforms.join(), '-o', output, '--tag', name, join(work, 'context')]);
      const before = await Promise.all(Object.values(readers).map(read => read(name)));
      await attach(name);
      for (const platform of platforms) await attach('--platform', platform, name);
      for (const [i, read] of Object.values(readers).entries()) {
        const seen = await read(name);
        expect(seen).toBe(before[i]);
        expect((JSON.parse(seen) as RawIndex).manifests.map(({ platform }) => platform)).toEqual([
          { architecture: 'amd64', os: 'linux' },
          { architecture: 'arm64', os: 'linux' },
        ]);
      }
      await dockerd.docker(['pull', '--quiet', name]);
      expect((await dockerd.docker(['run', '--rm', '--network=host', name])).stdout).toBe('hello\n');
      const about = async (...args: string[]) =>
        (await lading.json(['artifact', 'list', ...args, name])) as { readonly referrers: readonly object[] };
      expect((await about()).referrers).toHaveLength(1);
      expect((await about('--platform', 'linux/arm64')).referrers).toHaveLength(1);
    },
    patience,
  );

  it(
    'leaves an image of one platform the plain manifest that it is',
    async () => {
      const name = `${registry.host}/said/one:1`;
      const digest = await lading.build(['-o', output, '--tag', name, join(work, 'context')]);
      await attach(name);
      const { Descriptor: seen } = JSON.parse((await inspect('--verbose', name)).stdout);
      expect(seen).toMatchObject({ digest, platform: { architecture: 'amd64', os: 'linux' } });
      expect(seen.mediaType).toBe('application/vnd.docker.distribution.manifest.v2+json');
      expect((await dockerd.docker(['pull', name])).stdout).toContain(`Digest: ${digest}`);
    },
    patience,
  );
});
