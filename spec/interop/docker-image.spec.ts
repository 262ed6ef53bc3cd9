import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { debianBase, debianBasePrograms, pushBase } from '../support/debian-base.js';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.js';
import { type Dockerd, startDockerd } from '../support/dockerd.js';
import { describeWith, patience, runProgram } from '../support/programs.js';
import { type Lading, openLading } from './lading.js';
import { differences, unpack } from './unpacked-tree.js';

describeWith([...debianBasePrograms, 'docker-registry', 'dockerd', 'docker'], 'an image that Docker made', () => {
  let work: string;
  let registry: DockerRegistry;
  let dockerd: Dockerd;
  let lading: Lading;
  let name: string;

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'lading-docker-image-'));
    registry = await startDockerRegistry();
    dockerd = await startDockerd();
    lading = await openLading();
    name = `${registry.host}/made/by-docker:1`;
    const debian = await pushBase(await debianBase(), 'debian', registry.host, 'v2s2');
    const context = join(work, 'docker');
    await mkdir(context);
    await writeFile(
      join(context, 'Dockerfile'),
      `FROM ${debian}
RUN mkdir -p /data/old/deep /data/kept && echo 1 >/data/old/one && echo 2 >/data/old/deep/two && echo 3 >/data/kept/three
RUN ln /data/kept/three /data/kept/hard && ln -s kept/hard /data/soft && ln -s /data/kept /data/way && mkfifo /data/pipe
RUN rm -r /data/old && mkdir /data/old && echo 4 >/data/old/four
RUN rm /data/kept/three && rm /etc/issue && echo /data/kept >/data/where
RUN echo 'svc:x:321:654::/data:/bin/sh' >>/etc/passwd && echo 'svcs:x:655:' >>/etc/group
ENV FROM_DOCKER=yes
CMD ["cat", "/data/where"]
`,
    );
    await dockerd.docker(['build', '--network=host', '--tag', 'built', context]);
    const change = ['sh', '-c', 'echo 5 >/data/five'];
    const { stdout } = await dockerd.docker(['run', '--detach', '--network=host', 'built', ...change]);
    const container = stdout.trim();
    await dockerd.docker(['wait', container]);
    const settings = ['WORKDIR /data', 'ONBUILD ENV TRIGGERED=yes', 'ONBUILD COPY trigger.txt /data/way/'];
    await dockerd.docker([
      'commit',
      ...settings.map(text => `--change=${text}`),
      '--author',
      'someone',
      container,
      name,
    ]);
    await dockerd.docker(['push', '--quiet', name]);
  }, patience);

  afterAll(async () => {
    await dockerd?.stop();
    await registry?.stop();
    await lading?.remove();
    if (work) await rm(work, { recursive: true, force: true });
  }, patience);

  it('is pulled with its digest', async () => {
    await lading.run(['pull', name]);
    const { stdout } = await dockerd.docker(['image', 'inspect', '--format', '{{index .RepoDigests 0}}', name]);
    await lading.run(['inspect', '--verify', stdout.trim().replace(/^.*@/, `${name.replace(/:1$/, '')}@`)]);
  });

  it('is built upon, through its links and over its deletions, and runs in Docker', async () => {
    const context = join(work, 'lading');
    await mkdir(context);
    const files = { 'trigger.txt': 'triggered\n', 'four.txt': 'FOUR\n', 'through.txt': 'through a link\n' };
    for (const [file, text] of Object.entries(files)) await writeFile(join(context, file), text);
    await writeFile(
      join(context, 'Dockerfile'),
      `FROM ${name}
COPY four.txt old/four
COPY --chown=svc:svcs through.txt way/
COPY --from=${name} /data/soft /data/copied
CMD cat old/four kept/through.txt kept/trigger.txt copied five; ls old; stat -c %u:%g kept/through.txt; echo $TRIGGERED $FROM_DOCKER
`,
    );
    const rebuilt = `${registry.host}/made/by-lading:1`;
    await lading.build(['--tag', rebuilt, context]);
    await lading.run(['push', rebuilt]);
    await dockerd.docker(['pull', '--quiet', rebuilt]);
    const { stdout } = await dockerd.docker(['run', '--rm', '--network=host', rebuilt]);
    expect(stdout.split('\n')).toEqual([
      'FOUR',
      'through a link',
      'triggered',
      '3',
      '5',
      'four',
      '321:655',
      'yes yes',
      '',
    ]);
  });

  it('is read from "docker save" as it is from the registry', async () => {
    const archive = join(work, 'saved.tar');
    await dockerd.docker(['tag', name, 'saved:1']);
    await dockerd.docker(['save', '--output', archive, 'saved:1']);
    await lading.run(['load', '--input', archive]);
    await lading.run(['inspect', '--verify', 'saved:1']);
    await lading.run(['pull', name]);
    // skopeo and umoci see only what has OCI media types in a layout, and the image from the registry keeps Docker's.
    const layout = join(work, 'converted');
    for (const [tag, from] of Object.entries({ pulled: name, loaded: 'saved:1' })) {
      const file = join(work, `${tag}.tar`);
      await lading.run(['copy', `store:${from}`, `docker-archive:${file}:${tag}:1`]);
      await runProgram('skopeo', ['--insecure-policy', 'copy', '-q', `docker-archive:${file}`, `oci:${layout}:${tag}`]);
    }
    const pulled = await unpack(layout, 'pulled', work);
    const loaded = await unpack(layout, 'loaded', work);
    expect(differences(pulled.facts, loaded.facts)).toEqual({});
  });
});
