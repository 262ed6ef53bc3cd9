import { readdir } from 'node:fs/promises';
import { beforeAll, expect, it } from 'vitest';
import { chooseSandbox } from '../../src/sandbox/choose-sandbox.js';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import { describeWith } from '../support/programs.js';
import { lackedBy } from '../support/runtime-abilities.js';
import { runSandboxCase, sandboxCases } from '../support/sandbox-suite.js';
import { tempDir } from '../support/temp-dir.js';

for (const runtime of ['crun', 'runc'] as const) {
  const lacks = await lackedBy(runtime);
  describeWith(['root', 'busybox', 'unshare', runtime], `the sandbox of ${runtime}, as root`, () => {
    let scratch: string;
    let sandbox: Sandbox;
    beforeAll(async () => {
      scratch = await tempDir();
      sandbox = await chooseSandbox({ name: runtime, scratch });
    });
    for (const entry of sandboxCases) {
      if (lacks.includes('mounts in mounts') && entry.needs?.includes('mounts in mounts')) {
        it(`${entry.title}: is refused`, async () => {
          const ran = runSandboxCase(entry, { sandbox, root: 'directory' });
          await expect(ran).rejects.toMatchObject({ code: 'RUN_UNAVAILABLE' });
          expect(await readdir(scratch)).toEqual([]);
        });
        continue;
      }
      if (entry.needs?.some(ability => lacks.includes(ability))) continue;
      it(entry.title, async () => {
        await runSandboxCase(entry, { sandbox, root: 'directory' });
        expect(await readdir(scratch)).toEqual([]);
      });
    }

    it('leaves no group of control', async () => {
      await runSandboxCase(
        { title: '', test: async ({ run }) => void expect((await run('true')).exitCode).toBe(0) },
        { sandbox, root: 'directory' },
      );
      const groups = await readdir('/sys/fs/cgroup', { recursive: true });
      expect(groups.filter(name => /(?:^|\/)lading-\d+$/.test(name))).toEqual([]);
    });
  });
}
