import { readdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { describeWith } from '../support/programs.js';
import { runCli } from '../support/run-cli.js';
import { tempDir } from '../support/temp-dir.js';

interface Doctored {
  readonly run: boolean;
  readonly tiers: ReadonlyArray<{
    readonly name: string;
    readonly works: boolean;
    readonly used: boolean;
    readonly missing?: string;
  }>;
}

describeWith(['root', 'unshare', 'perl'], 'lading doctor', () => {
  it('tries every way, and says which is used', async () => {
    const folder = await tempDir();
    const { code, stdout } = await runCli(['doctor', '--json'], { cwd: folder, env: { PATH: process.env['PATH'] } });
    expect(code).toBe(0);
    const { run, tiers } = JSON.parse(stdout) as Doctored;
    expect(run).toBe(true);
    expect(tiers.map(({ name }) => name)).toEqual(['namespaces', 'proot', 'chroot', 'oci']);
    expect(tiers.filter(({ used }) => used).map(({ name }) => name)).toEqual(['namespaces']);
    for (const { works, missing } of tiers) expect(works || missing !== undefined).toBe(true);
    // Nothing stays of a try, and no store is made for it.
    expect(await readdir(folder)).toEqual([]);
  });

  it('shows the same to people', async () => {
    const { stdout } = await runCli(['doctor'], { cwd: await tempDir(), env: { PATH: process.env['PATH'] } });
    expect(stdout).toMatch(/^yes {2}namespaces {2}.*\(used\)$/m);
  });
});
