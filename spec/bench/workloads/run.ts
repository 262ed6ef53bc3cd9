import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from '../../support/run-program.js';
import { compare } from '../compare.js';
import { writeEqualFiles } from '../context/equal-files.js';
import type { Contender } from '../measure.js';
import type { Absent } from '../peers/absent.js';
import { lading, verify } from '../peers/lading.js';
import { ladingUser, ladingUsers } from '../peers/lading-user.js';
import type { Section } from '../section.js';
import { besideBuildkit, daemons, ladingBuild, sizeText } from './app-contenders.js';
import type { Workload } from './workload.js';

/** What a RUN needs here: a program without libraries, and those of the way of running that root has. */
const needs = ['busybox', 'perl'];

/** Ways of running it that do without namespaces: where these are forbidden, docker is, too. */
const others = ['proot', 'chroot'] as const;

/** A RUN that changes one file, on a base of ten thousand: what is measured is what a build adds to the command. */
export const runOne: Workload = {
  name: 'run-one',
  summary: 'a RUN that changes one file of many',
  run: async bench => {
    const absent = needs.filter(name => findProgram(name) === undefined);
    const missing = [...bench.programs.missing(['root']), ...absent];
    const folder = bench.path('run');
    const files = join(folder, 'files');
    await mkdir(files, { recursive: true });
    const many = await writeEqualFiles(files, bench.scale(10_000, 2_000), 2_000, bench.making);
    const base = await bench.base();
    const store = bench.path('run-store');
    const image = `${base.host}/apps/run:1`;
    await bench.restore(base.store, store);
    if (missing.length === 0) await copyFile(findProgram('busybox')!, join(folder, 'busybox'));
    let changes = 0;
    // Never the same command twice: nothing is to come from a cache but what it stands on.
    const before = async (): Promise<void> => {
      const command = JSON.stringify(['/busybox', 'sh', '-c', `echo ${++changes} > /srv/changed`]);
      await writeFile(
        join(folder, 'Dockerfile'),
        `FROM ${base.name}\nCOPY busybox /\nCOPY files /srv/\nRUN ${command}\n`,
      );
    };
    const contenders: Array<Contender | Absent> = [
      missing.length > 0
        ? { name: ladingBuild, missing }
        : { name: ladingBuild, argv: lading('build', '-q', '--root', store, '-t', image, folder), before },
    ];
    for (const sandbox of others) {
      const name = `${ladingBuild} --sandbox ${sandbox}`;
      const argv = lading('build', '-q', '--sandbox', sandbox, '--root', store, '-t', image, folder);
      const without = [...missing, ...(sandbox === 'proot' && findProgram('proot') === undefined ? ['proot'] : [])];
      contenders.push(without.length > 0 ? { name, missing: without } : { name, argv, before });
    }
    const removals: Array<() => Promise<void>> = [];
    let section: Section;
    try {
      for (const user of ladingUsers) {
        const name = `${ladingBuild} ${user.title}`;
        const without = [...missing, ...user.needs.filter(each => each !== 'root' && findProgram(each) === undefined)];
        if (without.length > 0) contenders.push({ name, missing: without });
        else {
          const own = await ladingUser(bench, user);
          removals.push(() => own.remove());
          contenders.push({
            ...{ name, before },
            argv: own.lading('build', '-q', ...user.options, '--root', own.store, '-t', image, folder),
          });
        }
      }
      for (const peer of daemons) {
        const noDaemon = [...bench.programs.missing(peer.needs), ...absent];
        if (noDaemon.length > 0) contenders.push({ name: peer.name, missing: noDaemon });
        else {
          const daemon = await peer.start(bench);
          contenders.push({ name: peer.name, ...daemon.build(image, folder), before, note: daemon.note });
        }
      }
      section = await compare(bench, {
        name: 'run-one',
        title: `A RUN that changes one file (${sizeText(many)})`,
        contenders,
        limits: [
          ...besideBuildkit(ladingBuild, 1),
          ...ladingUsers.flatMap(({ title }) => besideBuildkit(`${ladingBuild} ${title}`, 1)),
          ...others.flatMap(sandbox => besideBuildkit(`${ladingBuild} --sandbox ${sandbox}`, 3)),
        ],
        times: 3,
        warmUps: 1,
      });
    } finally {
      for (const remove of removals) await remove();
    }
    if (missing.length === 0) await verify(bench, store, image);
    await bench.remove(store, folder);
    return [section];
  },
};
