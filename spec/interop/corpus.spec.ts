import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openImage } from '../../src/image/image.js';
import { validateImage } from '../../src/image/validate.js';
import { openStore, type Store } from '../../src/store/store.js';
import { host } from '../support/building.js';
import {
  type CorpusCase,
  corpusCases,
  corpusRoot,
  goldensOf,
  inputOf,
  ladingArguments,
  prepareCase,
} from '../support/corpus.js';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.js';
import { type Dockerd, startDockerd } from '../support/dockerd.js';
import { type ImageSummary, summarize } from '../support/image-summary.js';
import { describeWith, patience, type RunResult } from '../support/programs.js';
import { cli, runCli } from '../support/run-cli.js';
import { olderBuildkit } from './older-buildkit.js';
import { overlaid } from './overlaid.js';
import { plainHistory } from './plain-history.js';

const cases = corpusCases().map(one => [one.name, one, olderBuildkit[one.name]] as const);

describeWith(
  ['root', 'dockerd', 'docker', 'docker-registry'],
  'the corpus as BuildKit of Docker 20.10 builds it',
  () => {
    let work: string;
    let registry: DockerRegistry;
    let dockerd: Dockerd;
    let store: Store;

    beforeAll(async () => {
      work = await mkdtemp(join(tmpdir(), 'lading-corpus-'));
      registry = await startDockerRegistry();
      store = await openStore(join(work, 'store'));
      for (const base of ['busybox', 'onbuild']) {
        const archive = join(work, `${base}.tar`);
        await cli(['copy', `oci:${corpusRoot}/bases/${base}`, `store:${base}`], { cwd: work });
        await cli(['save', '--output', archive, base], { cwd: work });
      }
      dockerd = await startWithBases();
    }, patience);

    afterAll(async () => {
      await dockerd?.stop();
      await registry?.stop();
      await store?.close();
      if (work) await rm(work, { recursive: true, force: true });
    }, patience);

    it('says of no other case how it differs', () => {
      expect(Object.keys(olderBuildkit)).toEqual(cases.flatMap(([name, , older]) => (older ? [name] : [])));
    });

    it.concurrent.each(cases.filter(([, , older]) => !older?.dies))('%s', async (_, one, older) => {
      const theirs = await buildTheirs(dockerd, one);
      const ours = await expected(one);
      const refused = ours === undefined && !older?.accepts;
      const words = older?.refuses ?? (refused ? (one.errorContains ?? '') : undefined);
      if (words !== undefined) {
        expect(theirs.code).not.toBe(0);
        expect(theirs.stderr).toContain(words);
        return;
      }
      expect(theirs.code, theirs.stderr).toBe(0);
      if (older?.accepts) expect(ours).toBeUndefined();
      else expect(await pushed(one)).toEqual(overlaid(ours, older?.differs));
    });

    it.each(cases.filter(([, , older]) => older?.dies))('%s', async (_, one) => {
      const victim = await startWithBases();
      const { code } = await buildTheirs(victim, one);
      expect(code).not.toBe(0);
      expect((await victim.docker(['version'], { mayFail: true })).code).not.toBe(0);
      await victim.stop();
      expect(await expected(one)).toBeUndefined();
    });

    async function startWithBases(): Promise<Dockerd> {
      const started = await startDockerd();
      for (const base of ['busybox', 'onbuild']) await started.docker(['load', '--input', join(work, `${base}.tar`)]);
      return started;
    }

    function prepared(one: CorpusCase): string {
      const folder = join(work, one.name);
      if (!existsSync(folder)) prepareCase(one, folder);
      return folder;
    }

    async function buildTheirs(daemon: Dockerd, one: CorpusCase): Promise<RunResult> {
      const cwd = prepared(one);
      const file = one.dockerfile === null ? [] : ['--file', one.dockerfile ?? 'Dockerfile'];
      return daemon.docker(
        // There is no bridge that RUN could be connected with.
        ['build', '--network=host', '--tag', nameOf(one), ...file, ...one.args, one.context ?? 'context'],
        { cwd, env: { ...one.env }, input: inputOf(one, cwd) ?? '', mayFail: true },
      );
    }

    /** The facts of an image that the daemon has, through a registry: `docker save` knows no images without layers. */
    async function pushed(one: CorpusCase): Promise<Facts> {
      await dockerd.docker(['push', '--quiet', nameOf(one)]);
      await cli(['pull', '--quiet', nameOf(one)], { cwd: work });
      return factsOfImage(one, nameOf(one));
    }

    /** What the case should be; nothing when it should be refused. */
    async function expected(one: CorpusCase): Promise<Facts | undefined> {
      const cwd = prepared(one);
      const tag = `ours/${one.name}`;
      const { code } = await runCli(['build', '--root', store.root, '--quiet', '--tag', tag, ...ladingArguments(one)], {
        cwd,
        env: { PATH: process.env['PATH'], ...one.env },
        stdin: inputOf(one, cwd),
      });
      return code === 0 ? factsOfImage(one, tag) : undefined;
    }

    async function factsOfImage(one: CorpusCase, name: string): Promise<Facts> {
      const [{ base }] = goldensOf(one);
      await validateImage(store, await store.resolve(name));
      const open = async (tag: string) => openImage(store, await store.resolve(tag), { platform: host });
      const below = base === null || base === undefined ? undefined : await open(base);
      return factsOf(await summarize(await open(name), below, store, one.mtimePaths));
    }

    const nameOf = (one: CorpusCase): string => `${registry.host}/theirs/${one.name}:latest`;
  },
);

type Facts = Readonly<Record<string, unknown>>;

/** What is compared of a summary: all but the times of the build, which folders that it made have in the older version. */
function factsOf(summary: Omit<ImageSummary, 'created' | 'historyCreated'>): Facts {
  const { tree, historyCreatedBy, historyEmptyLayers, hardlinks, hardlinksGone, config, layerCount } = summary;
  const { os, architecture, variant, author, mtimes = {} } = summary;
  return {
    ...{ tree, hardlinks, hardlinksGone, config, os, architecture, variant, author, historyEmptyLayers, layerCount },
    history: historyCreatedBy.map(plainHistory),
    mtimes: Object.fromEntries(Object.entries(mtimes).filter(([path]) => tree[path]?.['type'] === 'file')),
  };
}
