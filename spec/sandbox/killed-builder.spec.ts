import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { beforeAll, expect, it } from 'vitest';
import { workerCode } from '../../worker-code.js';
import { busyboxRoot } from '../support/busybox-root.js';
import { describeWith } from '../support/programs.js';
import { processesWith, uniqueSeconds } from '../support/sandbox-suite.js';
import { pause } from '../support/start-service.js';
import { tempDir } from '../support/temp-dir.js';

const absWorkingDir = fileURLToPath(new URL('../..', import.meta.url));
/** Milliseconds after the builder has begun: from before there are namespaces until long after the command runs. */
const moments = Array.from({ length: 20 }, (_, i) => Math.round(1.37 ** i * 2) - 2);

describeWith(['root', 'busybox', 'unshare'], 'a builder that is killed while a command runs', () => {
  let folder: string;
  let base: string;
  let victim: string;
  beforeAll(async () => {
    folder = await tempDir();
    base = await busyboxRoot(folder);
    victim = join(folder, 'victim.mjs');
    const entryPoints = ['spec/support/sandbox-victim.ts'];
    const format = { bundle: true, format: 'esm', platform: 'node' } as const;
    await build({ absWorkingDir, entryPoints, outfile: victim, plugins: [workerCode.esbuild], ...format });
  });

  it.each(moments)('leaves no process and no mount, %i ms after its start', moment => kill(() => pause(moment)));

  it('leaves no process and no mount when everything is running', () =>
    kill(async seconds => {
      while ((await processesWith(`${seconds}`)).length < 4) await pause(20);
    }));

  async function kill(when: (seconds: number) => Promise<void>): Promise<void> {
    const seconds = uniqueSeconds();
    const own = join(folder, `run-${seconds}`);
    await mkdir(own);
    // What has taken another user, another session and another parent is to go, too.
    const command = `trap '' TERM HUP; setsid sleep ${seconds} & (sleep ${seconds} &); sleep ${seconds}`;
    const child = spawn(process.execPath, [victim, own, base, command], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'exit');
    await once(child.stdout, 'data');
    await when(seconds);
    child.kill('SIGKILL');
    await ended;
    const left = async (): Promise<string[]> => [
      ...(await processesWith(`${seconds}`)),
      ...(await processesWith(own)),
      ...(await readFile('/proc/self/mountinfo', 'utf8')).split('\n').filter(line => line.includes(own)),
    ];
    for (let i = 0; i < 200 && (await left()).length > 0; i++) await pause(50);
    expect(await left()).toEqual([]);
  }
});
