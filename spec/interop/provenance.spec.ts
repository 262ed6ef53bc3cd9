import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.js';
import { type Dockerd, startDockerd } from '../support/dockerd.js';
import { openPodman, type Podman } from '../support/podman.js';
import { describeWith, patience, runProgram } from '../support/programs.js';
import { writeBusyboxContext } from './busybox-image.js';
import { type Lading, openLading } from './lading.js';

const programs = ['docker-registry', 'skopeo', 'busybox', 'root', 'dockerd', 'docker', 'podman'];

/** Each as an artifact with a subject, and in the dress of an image. */
const forms = [{ artifact: true }, { artifact: false }];

describeWith(programs, 'an image with provenance', () => {
  let work: string;
  let registry: DockerRegistry;
  let dockerd: Dockerd;
  let lading: Lading;
  let engine: Podman;

  const nameOf = ({ artifact }: (typeof forms)[number]) =>
    `${registry.host}/proven/${artifact ? 'artifact' : 'image'}:1`;
  const archiveOf = ({ artifact }: (typeof forms)[number], format: string) => join(work, `${format}-${artifact}.tar`);

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'lading-provenance-'));
    registry = await startDockerRegistry();
    dockerd = await startDockerd();
    lading = await openLading();
    engine = await openPodman();
    await writeBusyboxContext(join(work, 'context'));
    for (const form of forms) {
      const artifact = `oci-artifact=${form.artifact}`;
      await lading.build([
        ...['--tag', nameOf(form), '--provenance', 'mode=max', '-o', `type=registry,${artifact}`],
        ...['-o', `type=docker,dest=${archiveOf(form, 'docker')},${artifact}`],
        ...['-o', `type=oci,dest=${archiveOf(form, 'oci')},${artifact}`],
        join(work, 'context'),
      ]);
    }
  }, patience);

  afterAll(async () => {
    await engine?.remove();
    await dockerd?.stop();
    await registry?.stop();
    await lading?.remove();
    if (work) await rm(work, { recursive: true, force: true });
  });

  it.each(forms)('is an image like any other to skopeo ($artifact)', async form => {
    const places = [
      `docker://${nameOf(form)}`,
      `oci-archive:${archiveOf(form, 'oci')}`,
      `docker-archive:${archiveOf(form, 'docker')}`,
    ];
    for (const place of places) {
      const { stdout } = await runProgram('skopeo', ['inspect', '--tls-verify=false', place]);
      expect(JSON.parse(stdout)).toMatchObject({ Architecture: 'amd64', Os: 'linux', Labels: { kind: 'small' } });
    }
  });

  it.each(forms)('can be copied by skopeo with all that belongs to it ($artifact)', async form => {
    const target = `docker://${registry.host}/copied/${form.artifact}:1`;
    const source = `docker://${nameOf(form)}`;
    const insecure = ['--src-tls-verify=false', '--dest-tls-verify=false'];
    await runProgram('skopeo', ['copy', '--all', ...insecure, source, target]);
    expect(await lading.run(['inspect', '--verify', target])).toMatchObject({
      stdout: expect.stringMatching(/^Attestations: +https:\/\/slsa\.dev\/provenance\/v1$/m),
    });
  });

  it.each(forms)('is pulled, loaded and run by Docker ($artifact)', async form => {
    await dockerd.docker(['pull', '--quiet', nameOf(form)]);
    const run = ['run', '--rm', '--network=host'];
    expect((await dockerd.docker([...run, nameOf(form)])).stdout).toBe('hello\n');
    await dockerd.docker(['rmi', nameOf(form)]);
    await dockerd.docker(['load', '--quiet', '--input', archiveOf(form, 'docker')]);
    expect((await dockerd.docker([...run, nameOf(form)])).stdout).toBe('hello\n');
  });

  it.each(forms)('is pulled, loaded and run by podman ($artifact)', async form => {
    const { podman, runFlags } = engine;
    await podman(['pull', '--quiet', '--tls-verify=false', nameOf(form)]);
    expect((await podman(['run', ...runFlags, nameOf(form)])).stdout).toBe('hello\n');
    await podman(['rmi', nameOf(form)]);
    await podman(['load', '--quiet', '--input', archiveOf(form, 'docker')]);
    expect((await podman(['run', ...runFlags, nameOf(form)])).stdout).toBe('hello\n');
  });
});
