import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import { describeWith } from '../support/programs.js';
import { type Ability, listening, runSandboxCase, type SandboxBox, sandboxCases } from '../support/sandbox-suite.js';
import { tiersWithoutNamespaces } from '../support/sandbox-tiers.js';
import { tempDir } from '../support/temp-dir.js';

for (const { name, create, lacks } of tiersWithoutNamespaces) {
  describeWith([name === 'proot' ? 'proot' : 'perl', 'perl', 'busybox', 'root'], `the ${name} sandbox`, () => {
    let scratch: string;
    let sandbox: Sandbox;

    beforeEach(async () => {
      scratch = join(await tempDir(), 'scratch');
      await mkdir(scratch);
      sandbox = create({ scratch, searchPath: '/usr/bin:/bin', uid: 0 });
    });

    const run = async (title: string, test: (box: SandboxBox) => Promise<void>): Promise<void> => {
      await runSandboxCase({ title, test }, { sandbox, root: 'directory' });
      expect(await readdir(scratch)).toEqual([]);
    };
    const lacking = (needs: readonly Ability[] = []): boolean => needs.some(ability => lacks.has(ability));

    for (const { title, needs, test } of sandboxCases) {
      if (!lacking(needs)) it(title, () => run(title, test));
    }

    it('gives the environment in the order that is asked for', () =>
      run('', async box => {
        const env = ['Z=1', 'PATH=/bin', 'LD_PRELOAD=/nothing.so', 'A=2', 'odd.name=3'];
        expect((await box.run('', { argv: ['env'], env })).stdout).toBe(`${env.join('\n')}\n`);
      }));

    it('has local sockets alone without a network', () =>
      run('', async box => {
        const { server, port } = await listening();
        const ask = `nc 127.0.0.1 ${port} </dev/null`;
        try {
          expect(await box.run(ask, { network: 'none' })).not.toMatchObject({ exitCode: 0 });
          expect(await box.run(ask, { network: 'default' })).toMatchObject({ stdout: 'hello' });
        } finally {
          server.close();
        }
      }));

    it('runs as a user', () =>
      run('', async box => {
        const user = { uid: 1000, gid: 1000, groups: [] };
        expect(await box.run('id -u; id -g; touch /tmp/x && echo made', { user })).toMatchObject({
          stdout: '1000\n1000\nmade\n',
        });
      }));

    it('refuses what it cannot do', () =>
      run('', async box => {
        const source = join(box.folder, 'cache');
        await mkdir(source);
        const mounts = [{ type: 'bind', source, target: '/cache', readOnly: false }] as const;
        for (const options of [{ mounts }, { readOnly: true }]) {
          const ability = 'mounts' in options ? 'writable mounts' : 'read-only roots';
          const ran = box.run('true', options);
          if (lacks.has(ability)) await expect(ran).rejects.toMatchObject({ code: 'RUN_UNAVAILABLE' });
          else expect((await ran).exitCode).toBe(0);
        }
      }));

    it('says before a build what is missing', async () => {
      const nowhere = create({ scratch, searchPath: '/nowhere', uid: 1000 });
      const start = { line: 3, column: 1 };
      const instruction = { title: 'RUN true', range: { file: 'Dockerfile', start, end: start } };
      if (name === 'chroot') {
        await expect(nowhere.check(instruction)).rejects.toMatchObject({
          code: 'RUN_UNAVAILABLE',
          details: { range: instruction.range },
        });
      }
      await expect(sandbox.check(instruction)).resolves.toBeUndefined();
    });
  });
}
