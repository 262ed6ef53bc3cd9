import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.js';
import { describeWith, patience, runProgram } from '../support/programs.js';
import { writeBusyboxContext } from './busybox-image.js';
import { type Lading, openLading } from './lading.js';

describeWith(['docker-registry', 'skopeo', 'busybox'], 'indexes and artifacts in a registry of Docker', () => {
  let work: string;
  let registry: DockerRegistry;
  let lading: Lading;

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'lading-index-'));
    registry = await startDockerRegistry();
    lading = await openLading();
    await writeBusyboxContext(join(work, 'context'));
  }, patience);

  afterAll(async () => {
    await registry?.stop();
    await lading?.remove();
    if (work) await rm(work, { recursive: true, force: true });
  });

  const skopeo = async (...args: string[]): Promise<string> =>
    (await runProgram('skopeo', [...args, ...(args[0] === 'copy' ? [] : ['--tls-verify=false'])])).stdout;

  it(
    'parts become an index that other programs read, platform by platform',
    async () => {
      const name = `${registry.host}/parts/app:1`;
      const digests: string[] = [];
      for (const platform of ['linux/arm64', 'linux/amd64']) {
        digests.push(await lading.build(['--platform', platform, '--tag', name, join(work, 'context')]));
        await lading.run(['push', '--part', 'run', name]);
      }
      const { stdout } = await lading.run([
        'index',
        'merge',
        name,
        '--part',
        'run',
        '--expect',
        'linux/amd64,linux/arm64',
      ]);
      const raw = JSON.parse(await skopeo('inspect', '--raw', `docker://${name}`));
      expect(raw.manifests.map(({ digest }: { digest: string }) => digest)).toEqual([...digests].reverse());
      for (const [arch, digest] of [
        ['arm64', digests[0]],
        ['amd64', digests[1]],
      ] as const) {
        const seen = JSON.parse(await skopeo('inspect', '--override-arch', arch, `docker://${name}`));
        expect([seen.Architecture, seen.Os]).toEqual([arch, 'linux']);
        expect((await lading.run(['digest', '--platform', `linux/${arch}`, name])).stdout.trim()).toBe(digest);
      }
      expect((await lading.run(['digest', name])).stdout).toBe(stdout);
      const { stdout: tags } = await lading.run(['tags', `${registry.host}/parts/app`]);
      expect(tags.split('\n').sort()).toEqual(['', '1', '1.run.linux-amd64', '1.run.linux-arm64']);
      expect((await lading.run(['catalog', registry.host])).stdout).toContain('parts/app\n');
      expect((await lading.run(['search', '--registry', registry.host, 'parts'])).stdout).toContain('parts/app');
    },
    patience,
  );

  it(
    'an artifact is found again, leaves the image alone, and is deleted',
    async () => {
      const name = `${registry.host}/about/app:1`;
      const digest = await lading.build(['--tag', name, join(work, 'context')]);
      await lading.run(['push', name]);
      const file = join(work, 'parts.json');
      await writeFile(file, '{"parts":[]}');
      const { stdout } = await lading.run([
        'artifact',
        'attach',
        '--artifact-type',
        'application/spdx+json',
        name,
        file,
      ]);
      const artifact = stdout.trim();
      expect(JSON.parse(await skopeo('inspect', `docker://${name}`)).Digest).toBe(digest);
      const listed = (await lading.json(['artifact', 'list', name])) as { referrers: object[] };
      expect(listed.referrers).toMatchObject([{ digest: artifact, artifactType: 'application/spdx+json' }]);
      await mkdir(join(work, 'out'));
      await lading.run(['artifact', 'fetch', '-o', join(work, 'out'), `${registry.host}/about/app@${artifact}`]);
      expect(await readFile(join(work, 'out', 'parts.json'), 'utf8')).toBe('{"parts":[]}');

      const copy = `${registry.host}/copy/app:1`;
      await lading.run(['copy', '--referrers', `docker://${name}`, `docker://${copy}`]);
      expect(await lading.json(['artifact', 'list', copy])).toMatchObject({ referrers: [{ digest: artifact }] });
      await lading.run(['delete', `${registry.host}/about/app@${artifact}`]);
      expect(await lading.json(['artifact', 'list', name])).toMatchObject({ referrers: [] });
      expect(JSON.parse(await skopeo('inspect', `docker://${name}`)).Digest).toBe(digest);
    },
    patience,
  );

  it(
    'a tag that this registry cannot delete alone is refused, its manifest goes by digest',
    async () => {
      const name = `${registry.host}/gone/app:1`;
      const digest = await lading.build(['--tag', name, join(work, 'context')]);
      await lading.run(['push', name]);
      await expect(lading.run(['delete', name])).rejects.toThrow('UNSUPPORTED');
      await lading.run(['delete', `${registry.host}/gone/app@${digest}`]);
      await expect(runProgram('skopeo', ['inspect', '--tls-verify=false', `docker://${name}`])).rejects.toThrow();
    },
    patience,
  );
});
