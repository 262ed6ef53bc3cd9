import { chmod, chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { containerImage } from '../support/container-image.js';
import { debianBase, debianBasePrograms } from '../support/debian-base.js';
import { type Dockerd, startDockerd } from '../support/dockerd.js';
import { sandboxProgram } from '../support/other-user.js';
import { describeWith, patience } from '../support/programs.js';
import type { CaseResult } from '../support/sandbox-cases.js';
import { tempDir } from '../support/temp-dir.js';

/** Containers that people build in, and the tiers that are for them. */
const containers = [
  {
    title: 'a container as it is, as root',
    options: [],
    uid: 0,
    tiers: ['chroot', 'proot'],
  },
  {
    title: 'a container of a restricted pod',
    options: [
      ...['--user', '1000:1000', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--read-only'],
      // Nothing but the volume can be written.
      ...['--env', 'TMPDIR=/work'],
    ],
    uid: 1000,
    tiers: ['proot'],
  },
] as const;

const programs = [...debianBasePrograms, 'dockerd', 'docker', 'proot', 'perl', 'busybox'];

describeWith(programs, 'sandboxes in containers of Docker', () => {
  let docker: Dockerd;
  let folder: string;

  beforeAll(async () => {
    folder = await tempDir();
    await chmod(folder, 0o755);
    docker = await startDockerd();
    await containerImage(docker, await debianBase(), { name: 'builder', programs: ['proot', 'busybox'], folder });
    await sandboxProgram(folder, 'sandbox-cases');
  }, patience);

  afterAll(async () => await docker?.stop(), patience);

  for (const { title, options, uid, tiers } of containers) {
    describe(title, () => {
      for (const tier of tiers) {
        it(`passes what all sandboxes must do, by ${tier}`, async () => {
          const work = join(folder, `work-${uid}-${tier}`);
          await mkdir(work);
          await chown(work, uid, uid);
          const volumes = ['--volume', `${work}:/work`, '--volume', `${folder}:/tests:ro`];
          const command = ['node', '/tests/sandbox-cases.mjs', tier];
          const run = ['run', '--rm', '--network', 'none', ...options, ...volumes, 'builder', ...command];
          const { stdout } = await docker.docker(run, { timeout: 280 });
          const results = JSON.parse(stdout) as CaseResult[];
          expect(results.filter(({ problem }) => problem !== undefined)).toEqual([]);
          expect(results.length).toBeGreaterThan(20);
        });
      }
    });
  }
});
