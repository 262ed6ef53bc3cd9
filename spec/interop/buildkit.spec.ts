import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { debianBase, debianBasePrograms, pushBase } from '../support/debian-base.js';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.js';
import { type Dockerd, startDockerd } from '../support/dockerd.js';
import { describeWith, patience, runProgram } from '../support/programs.js';
import { type Lading, openLading } from './lading.js';
import { writeNodeApp } from './node-app.js';
import { plainHistory } from './plain-history.js';
import { differences, type Tree, unpack } from './unpacked-tree.js';

interface Built {
  readonly tree: Tree;
  readonly config: Readonly<Record<string, unknown>> & {
    readonly config: Readonly<Record<string, unknown>>;
    readonly history: ReadonlyArray<{ readonly created_by?: string; readonly empty_layer?: boolean }>;
  };
}

describeWith(
  [...debianBasePrograms, 'docker-registry', 'dockerd', 'docker'],
  'the same Dockerfile as BuildKit builds it',
  () => {
    let work: string;
    let registry: DockerRegistry;
    let dockerd: Dockerd;
    let lading: Lading;
    let theirs: Built;
    let ours: Built;

    beforeAll(async () => {
      work = await mkdtemp(join(tmpdir(), 'lading-buildkit-'));
      registry = await startDockerRegistry();
      dockerd = await startDockerd();
      lading = await openLading();
      const context = join(work, 'context');
      await writeNodeApp(context);
      const base = await pushBase(await debianBase(), 'node', registry.host);
      const names = { theirs: `${registry.host}/by/buildkit:1`, ours: `${registry.host}/by/lading:1` };
      const args = ['--build-arg', `BASE=${base}`, '--build-arg', 'RELEASE=7', '--label', 'from=command line'];
      await dockerd.docker(['build', '--network=host', '--tag', names.theirs, ...args, context]);
      await dockerd.docker(['push', '--quiet', names.theirs]);
      await lading.build(['--timestamps', 'keep', '--tag', names.ours, ...args, context]);
      await lading.run(['push', names.ours]);
      theirs = await fetchBuilt('theirs', names.theirs);
      ours = await fetchBuilt('ours', names.ours);
    }, patience);

    afterAll(async () => {
      await dockerd?.stop();
      await registry?.stop();
      await lading?.remove();
      if (work) await rm(work, { recursive: true, force: true });
    }, patience);

    it('has the same files', () => {
      expect(differences(theirs.tree.facts, ours.tree.facts)).toEqual({});
    });

    it('has the same times of files', () => {
      // Folders get the time of the build in one and the time of their source, or of the base, in the other.
      const files = ({ facts, times }: Tree) =>
        new Map([...times].filter(([path]) => facts.get(path)?.type === 'file'));
      expect(differences(files(theirs.tree), files(ours.tree))).toEqual({});
    });

    it('has the same settings', () => {
      // Docker writes some that are not set as null.
      const set = Object.entries(theirs.config.config).filter(([, value]) => value !== null);
      expect(ours.config.config).toEqual(Object.fromEntries(set));
      expect(ours.config['os']).toBe(theirs.config['os']);
      expect(ours.config['architecture']).toBe(theirs.config['architecture']);
    });

    it('has the same history', () => {
      const lines = ({ config }: Built) =>
        config.history.map(entry => [plainHistory(entry.created_by), !!entry.empty_layer]);
      expect(lines(ours)).toEqual(lines(theirs));
    });

    async function fetchBuilt(id: string, name: string): Promise<Built> {
      const layout = join(work, id);
      const options = ['--insecure-policy', 'copy', '--quiet', '--src-tls-verify=false'];
      await runProgram('skopeo', [...options, `docker://${name}`, `oci:${layout}:x`]);
      // As it lies in the registry: skopeo leaves out Docker's own settings where it changes the format.
      const config = await runProgram('skopeo', [
        'inspect',
        '--tls-verify=false',
        '--config',
        '--raw',
        `docker://${name}`,
      ]);
      return { tree: await unpack(layout, 'x', work), config: JSON.parse(config.stdout) };
    }
  },
);
