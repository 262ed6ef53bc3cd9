import { chmod, copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bundledSuite } from '../support/bundled-suite.js';
import { escapeCases } from '../support/escape-cases.js';
import { machineUser, machineUserPrograms } from '../support/machine-user.js';
import { describeWith, findProgram, patience, runProgram } from '../support/programs.js';
import type { Ability } from '../support/sandbox-suite.js';
import { tiersWithoutNamespaces } from '../support/sandbox-tiers.js';
import { tempDir } from '../support/temp-dir.js';

interface Tier {
  readonly title: string;
  readonly name: string;
  readonly root: 'overlay' | 'directory';
  readonly lacks: readonly Ability[];
  /** Whom it runs as: root, or a user with or without ranges of ids. */
  readonly user?: { readonly ranges: boolean } | undefined;
  readonly programs: readonly string[];
  /** What starts the process of the image, or could be come to by it: there are copies for it to overwrite. */
  readonly copied: readonly string[];
}

const without = (name: string): readonly Ability[] => [
  ...tiersWithoutNamespaces.find(tier => tier.name === name)!.lacks,
];
const namespaces = { name: 'namespaces', root: 'overlay', lacks: [] } as const;
const makers = ['perl'];
const tiers: readonly Tier[] = [
  { ...namespaces, title: 'namespaces, as root', programs: ['perl'], copied: makers },
  {
    ...namespaces,
    title: 'namespaces, with ranges of ids',
    user: { ranges: true },
    programs: ['newuidmap'],
    copied: makers,
  },
  {
    ...namespaces,
    title: 'namespaces, with one id',
    lacks: ['users'],
    user: { ranges: false },
    programs: ['perl'],
    copied: makers,
  },
  ...[undefined, { ranges: false }].map(
    (user): Tier => ({
      ...{ title: `proot, as ${user === undefined ? 'root' : 'a user'}`, name: 'proot', root: 'directory', user },
      ...{ lacks: without('proot'), programs: ['proot', 'perl'], copied: ['proot', 'perl'] },
    }),
  ),
  {
    title: 'chroot',
    name: 'chroot',
    root: 'directory',
    lacks: without('chroot'),
    programs: ['perl'],
    copied: ['perl'],
  },
  ...(['crun', 'runc'] as const).map(
    (name): Tier => ({
      ...{ title: name, name, root: 'directory', lacks: [], programs: [name] },
      copied: [name, 'unshare', 'nsenter'],
    }),
  ),
];

for (const { title, name, root, lacks, user, programs, copied } of tiers) {
  describeWith(['root', 'busybox', ...machineUserPrograms, 'perl', ...programs], `published escapes: ${title}`, () => {
    const results = new Map<string, string | undefined>();
    let stderr = '';
    let remove = async (): Promise<void> => {};

    beforeAll(async () => {
      const folder = await tempDir();
      const suite = await bundledSuite(folder);
      const bin = join(folder, 'bin');
      await mkdir(bin);
      for (const program of copied) {
        await copyFile(findProgram(program)!, join(bin, program));
        await chmod(join(bin, program), 0o755);
      }
      // Descriptors that are left open for all programs: what runtimes had, and lost their containers by.
      const leaking = [
        '-c',
        'exec 7</ 8</etc; exec "$@"',
        'sh',
        process.execPath,
        suite,
        'escapes',
        name,
        root,
        ...lacks,
      ];
      const path = { PATH: `${bin}:/usr/sbin:/usr/bin:/sbin:/bin` };
      let ran: { readonly stdout: string; readonly stderr: string };
      if (user === undefined) {
        // Groups of the builder that no process is to have.
        const groups = ['--groups', '0,4,4242', '--', '/bin/sh', ...leaking];
        ran = await runProgram('setpriv', groups, { env: { ...process.env, ...path }, timeout: 280, mayFail: true });
      } else {
        const other = await machineUser(folder, user);
        remove = () => other.remove();
        await runProgram('chown', ['-R', `${other.name}:`, bin]);
        ran = await other.run('/bin/sh', leaking, path);
      }
      stderr = ran.stderr;
      for (const line of ran.stdout.split('\n').filter(Boolean)) {
        const result = JSON.parse(line) as { title: string; failure?: string };
        results.set(result.title, result.failure);
      }
    }, patience);
    afterAll(() => remove());

    for (const each of escapeCases) {
      if (each.needs?.some(ability => lacks.includes(ability))) continue;
      it(each.title, () => {
        expect([...results.keys()], stderr).toContain(each.title);
        expect(results.get(each.title)).toBeUndefined();
      });
    }
  });
}
