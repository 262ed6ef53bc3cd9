import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundledProgram } from '../support/bundled-program.js';
import { containerImage } from '../support/container-image.js';
import { debianBase, debianBasePrograms } from '../support/debian-base.js';
import { type Dockerd, startDockerd } from '../support/dockerd.js';
import { sandboxProgram } from '../support/other-user.js';
import { describeWith, patience, runProgram } from '../support/programs.js';
import type { CaseResult } from '../support/sandbox-cases.js';
import { tempDir } from '../support/temp-dir.js';

/** Containers that people build in, and the tiers that are for them. */
interface Container {
  readonly title: string;
  readonly options: readonly string[];
  readonly uid: number;
  readonly tiers: ReadonlyArray<'chroot' | 'proot'>;
}

const containers: readonly Container[] = [
  {
    title: 'a container as it is, as root',
    options: [],
    uid: 0,
    tiers: ['chroot', 'proot'],
  },
  {
    title: 'a container of a restricted pod',
    options: [...['--user', '1000:1000', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--read-only']],
    uid: 1000,
    tiers: ['proot'],
  },
];

/** What people do to accounts, owners, modes and links, in ways that come to the same bytes whenever it is done. */
const dockerfile = `
FROM base
RUN useradd -m app && mkdir -p /app/bin && cp /bin/true /app/bin/tool
RUN <<EOF
set -e
cd /app
for i in $(seq 1 200); do mkdir -p m/$i/lib; echo "module $i" >m/$i/package.json; echo $i >m/$i/lib/index.js; done
chown -R app:app /app
chmod 4755 bin/tool
chmod 2775 m
ln m/1/package.json m/link
ln -s ../m/2 bin/two
rm -rf m/3
EOF
RUN su app -c 'mkdir -p ~/d && echo x >~/d/file && chmod 600 ~/d/file && ln ~/d/file ~/hard'
USER app
WORKDIR /home/app
RUN echo hi >file && mkdir -p .cache/deep && touch /tmp/theirs && install -m 750 file .cache/copy
USER root
RUN --mount=type=bind,from=base,source=/etc,target=/shown cp /shown/debian_version /tmp/version
RUN cp -a /app/m/7 /srv/copy && mv /app /srv/app && rm /srv/app/m/4/lib/index.js && \
    sed -i s/module/changed/ /srv/app/m/5/package.json && groupadd extra && chgrp extra /srv/app/m/6
`;

const programs = [...debianBasePrograms, 'dockerd', 'docker', 'proot', 'perl', 'busybox'];

describeWith(programs, 'sandboxes in containers of Docker', () => {
  let docker: Dockerd;
  let folder: string;

  const run = async (
    { options, uid }: Pick<Container, 'options' | 'uid'>,
    command: readonly string[],
    { network = 'none', volumes = [] as readonly string[] } = {},
  ): Promise<string> => {
    count += 1;
    const work = join(folder, `work-${count}`);
    await mkdir(work);
    await chown(work, uid, uid);
    const mounts = [`${work}:/space`, `${folder}:/tests:ro`, ...volumes].flatMap(volume => ['--volume', volume]);
    const args = [
      'run',
      '--rm',
      '--network',
      network,
      ...options,
      '--env',
      'TMPDIR=/space',
      ...mounts,
      'builder',
      ...command,
    ];
    return (await docker.docker(args, { timeout: 280 })).stdout;
  };
  let count = 0;

  beforeAll(async () => {
    folder = await tempDir();
    await chmod(folder, 0o755);
    docker = await startDockerd();
    await containerImage(docker, await debianBase(), { name: 'builder', programs: ['proot', 'busybox'], folder });
    await sandboxProgram(folder, 'sandbox-cases');
    await bundledProgram(folder);
    const { layout } = await debianBase('apt');
    await runProgram('cp', ['-r', layout, join(folder, 'base')]);
    await runProgram('chmod', ['-R', 'a+rX', join(folder, 'base')]);
    await mkdir(join(folder, 'context'), { recursive: true });
    await writeFile(join(folder, 'context/Dockerfile'), dockerfile);
  }, patience);

  afterAll(async () => await docker?.stop(), patience);

  for (const { title, options, uid, tiers } of containers) {
    describe(title, () => {
      for (const tier of tiers) {
        it(`passes what all sandboxes must do, by ${tier}`, async () => {
          const stdout = await run({ options, uid }, ['node', '/tests/sandbox-cases.mjs', tier]);
          const results = JSON.parse(stdout) as CaseResult[];
          expect(results.filter(({ problem }) => problem !== undefined)).toEqual([]);
          expect(results.length).toBeGreaterThan(20);
        });
      }
    });
  }

  it('build the same image as with namespaces, to the byte', async () => {
    const build = (place: string, sandbox: string, store: string): string[] => [
      ...['build', '--root', store, '--sandbox', sandbox, '--quiet', '--strict-ownership'],
      ...['--build-context', `base=oci-layout://${place}/base:debian`, join(place, 'context')],
    ];
    const store = join(folder, 'store');
    const here = await runProgram(process.execPath, [join(folder, 'bin.mjs'), ...build(folder, 'namespaces', store)]);
    expect(here.stdout).toMatch(/^sha256:[0-9a-f]{64}\n$/);
    for (const { title, options, uid, tiers } of containers) {
      for (const tier of tiers) {
        const command = ['node', '/tests/bin.mjs', ...build('/tests', tier, '/space/store')];
        expect(await run({ options, uid }, command), `${title}, by ${tier}`).toBe(here.stdout);
      }
    }
  });

  it('install packages where nothing is allowed', async () => {
    const text = 'FROM base\nRUN apt-get update && apt-get install -y --no-install-recommends tree && tree --version\n';
    await mkdir(join(folder, 'apt'));
    await writeFile(join(folder, 'apt/Dockerfile'), text);
    const mirror = await fetch('http://deb.debian.org/debian/dists/stable/InRelease').catch(() => undefined);
    if (!mirror?.ok) {
      process.stderr.write('skipped: the mirror of Debian cannot be reached from here\n');
      return;
    }
    const command = [
      ...['node', '/tests/bin.mjs', 'build', '--root', '/space/store', '--sandbox', 'proot', '--quiet'],
      ...['--strict-ownership', '--build-context', 'base=oci-layout:///tests/base:debian', '/tests/apt'],
    ];
    const stdout = await run(containers[1]!, command, { network: 'host' });
    expect(stdout).toMatch(/^sha256:/);
  });
});
