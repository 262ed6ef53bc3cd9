import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { busyboxRoot } from '../support/busybox-root.js';
import { sandboxProgram } from '../support/other-user.js';
import { describeWith } from '../support/programs.js';
import type { SandboxedRun } from '../support/run-in-sandbox.js';
import { processesWith, uniqueSeconds } from '../support/sandbox-suite.js';
import { pause } from '../support/start-service.js';
import { tempDir } from '../support/temp-dir.js';

describeWith(['proot', 'perl', 'busybox', 'root'], 'a builder that is killed', () => {
  for (const kind of ['proot', 'chroot'] as const) {
    it(`takes everything with it that ran, by ${kind}`, async () => {
      const folder = await tempDir();
      const program = await sandboxProgram(folder);
      const scratch = join(folder, 'scratch');
      await mkdir(scratch);
      const seconds = uniqueSeconds();
      const command = `trap '' TERM INT HUP QUIT; sleep ${seconds} & setsid sleep ${seconds} & sleep ${seconds}`;
      const run: SandboxedRun = {
        kind,
        scratch,
        request: {
          root: { kind: 'directory', path: await busyboxRoot(folder) },
          argv: ['/bin/sh', '-c', command],
          env: ['PATH=/bin'],
          cwd: '/',
          user: { uid: 0, gid: 0, groups: [] },
          hostname: 'builder',
          network: 'default',
          extraHosts: [],
          mounts: [],
          limits: [],
          security: 'sandbox',
          input: 'none',
        },
      };
      // After different times: before the process is there, while it begins, and when it runs.
      for (const delay of [60, 150, 300, 1000]) {
        const builder = spawn(process.execPath, [program], { stdio: ['pipe', 'ignore', 'ignore'] });
        const ended = once(builder, 'exit');
        builder.stdin.end(JSON.stringify(run));
        await pause(delay);
        builder.kill('SIGKILL');
        await ended;
        for (let tries = 0; tries < 100 && (await processesWith(`${seconds}`)).length > 0; tries += 1) await pause(100);
        expect(await processesWith(`${seconds}`), `after ${delay} ms`).toEqual([]);
      }
    });
  }
});
