import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { debianBase, debianBasePrograms, pushBase } from '../support/debian-base.js';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.js';
import { type Dockerd, startDockerd } from '../support/dockerd.js';
import { openPodman, type Podman } from '../support/podman.js';
import { describeWith, patience, runProgram } from '../support/programs.js';
import { type Lading, openLading } from './lading.js';
import { expectedOutput, expectedTree, writeNodeApp } from './node-app.js';
import { differences, readTree, type Tree, unpack } from './unpacked-tree.js';

const programs = [...debianBasePrograms, 'docker-registry', 'dockerd', 'docker', 'podman'];

describeWith(programs, 'a Node application on a real Debian', () => {
  let work: string;
  let context: string;
  let registry: DockerRegistry;
  let dockerd: Dockerd;
  let podman: Podman;
  let lading: Lading;
  let base: string;
  /** The base, and the application as it comes back from the registry. */
  let before: Tree;
  let after: Tree;
  let name: string;
  let digest: string;
  let arguments_: readonly string[];

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'lading-node-app-'));
    context = join(work, 'context');
    registry = await startDockerRegistry();
    dockerd = await startDockerd();
    podman = await openPodman();
    lading = await openLading();
    await writeNodeApp(context);
    const debian = await debianBase();
    base = await pushBase(debian, 'node', registry.host);
    name = `${registry.host}/team/node-app:1`;
    arguments_ = ['--build-arg', `BASE=${base}`, '--build-arg', 'RELEASE=1.2.3'];
    digest = await lading.build(['--tag', name, ...arguments_, context]);
    await lading.run(['push', name]);
    const layout = join(work, 'pulled');
    const options = ['--insecure-policy', 'copy', '--quiet', '--src-tls-verify=false'];
    await runProgram('skopeo', [...options, `docker://${name}`, `oci:${layout}:app`]);
    before = await unpack(debian.layout, 'node', work);
    after = await unpack(layout, 'app', work);
  }, patience);

  afterAll(async () => {
    await dockerd?.stop();
    await podman?.remove();
    await registry?.stop();
    await lading?.remove();
    if (work) await rm(work, { recursive: true, force: true });
  }, patience);

  it('is in the registry under the digest that the build printed', async () => {
    const options = ['--tls-verify=false', '--format', '{{.Digest}}'];
    const { stdout } = await runProgram('skopeo', ['inspect', ...options, `docker://${name}`]);
    expect(stdout.trim()).toBe(digest);
  });

  it('is pushed again without sending a layer', async () => {
    const before = (await registry.requests()).length;
    await lading.run(['push', name]);
    const sent = (await registry.requests()).slice(before).filter(line => /^(POST|PATCH|PUT) .*\/blobs\//.test(line));
    expect(sent).toEqual([]);
  });

  it('is copied to another repository of the registry without sending a layer', async () => {
    const before = (await registry.requests()).length;
    const other = `${registry.host}/other/node-app:1`;
    await lading.run(['copy', `docker://${name}`, `docker://${other}`]);
    const requests = (await registry.requests()).slice(before);
    expect(requests.filter(line => /^(PATCH|PUT) .*\/blobs\//.test(line))).toEqual([]);
    expect(requests.filter(line => /^GET .*\/blobs\//.test(line)).length).toBeLessThan(2);
    await runProgram('skopeo', ['inspect', '--tls-verify=false', `docker://${other}`]);
  });

  it('unpacks to the tree that the Dockerfile describes', async () => {
    expect(differences(await expectedTree(context, before.facts), after.facts)).toEqual({});
  });

  it('sets no time later than the epoch of the build', () => {
    const late = [...after.times].filter(([path, time]) => time > 946_684_800 && !before.facts.has(path));
    expect(late).toEqual([]);
  });

  it('runs after "docker load"', async () => {
    const archive = join(work, 'docker.tar');
    const tag = 'node-app:loaded';
    await lading.build(['--tag', tag, ...arguments_, '--output', `type=docker,dest=${archive}`, context]);
    await dockerd.docker(['load', '--input', archive]);
    await expectRun(dockerd.docker(['run', '--rm', '--network=host', tag]), 'world');
    await dockerd.docker(['image', 'rm', tag]);
  });

  it('runs after "docker pull", with the settings of the Dockerfile', async () => {
    await dockerd.docker(['pull', '--quiet', name]);
    await expectRun(dockerd.docker(['run', '--rm', '--network=host', name, '--name', 'docker']), 'docker');
    const inspected = JSON.parse((await dockerd.docker(['image', 'inspect', name])).stdout)[0];
    expect(inspected.RepoDigests).toEqual([`${registry.host}/team/node-app@${digest}`]);
    expect(inspected.Config).toMatchObject({
      User: 'node',
      WorkingDir: '/srv/app',
      Entrypoint: ['node', 'main.mjs'],
      Cmd: ['--name', 'world'],
      StopSignal: 'SIGINT',
      ExposedPorts: { '8080/tcp': {}, '8443/tcp': {} },
      Volumes: { '/srv/state': {} },
      Labels: { 'org.opencontainers.image.version': '1.2.3', 'org.opencontainers.image.title': 'node app' },
    });
    const { stdout } = await runProgram('skopeo', ['inspect', '--tls-verify=false', '--raw', `docker://${name}`]);
    expect(inspected.Id).toBe(JSON.parse(stdout).config.digest);
  });

  it.each(['docker', 'oci'])('runs after "podman load" of type=%s', async type => {
    const archive = join(work, `podman-${type}.tar`);
    const tag = `localhost/node-app:${type}`;
    await lading.build(['--tag', tag, ...arguments_, '--output', `type=${type},dest=${archive}`, context]);
    await podman.podman(['load', '--input', archive]);
    await expectRun(podman.podman(['run', ...podman.runFlags, tag, '--name', 'podman']), 'podman');
    await podman.podman(['image', 'rm', tag]);
  });

  it('runs after "podman pull"', async () => {
    await podman.podman(['pull', '--quiet', '--tls-verify=false', name]);
    await expectRun(podman.podman(['run', ...podman.runFlags, name]), 'world');
  });

  it('writes the same tree to a folder', async () => {
    const folder = join(work, 'local');
    await lading.run(['build', '--quiet', ...arguments_, '--output', `type=local,dest=${folder}`, context]);
    const contents = (facts: ReadonlyMap<string, { type: string; content?: string }>) =>
      new Map([...facts].filter(([, fact]) => fact.type !== 'device').map(([path, f]) => [path, [f.type, f.content]]));
    expect(differences(contents(after.facts), contents((await readTree(folder)).facts))).toEqual({});
  });

  async function expectRun(run: Promise<{ readonly stdout: string }>, greeted: string): Promise<void> {
    expect(JSON.parse((await run).stdout)).toEqual(expectedOutput(greeted));
  }
});
