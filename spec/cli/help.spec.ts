import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { commands } from '../../cli/commands.js';
import { expectGolden } from '../support/golden.js';
import { runCli } from '../support/run-cli.js';
import { tempDir } from '../support/temp-dir.js';

describe('help', () => {
  it('of the program', async () => {
    const { code, stdout, stderr } = await runCli(['--help'], { cwd: await tempDir() });
    expect([code, stderr]).toEqual([0, '']);
    expectGolden('help/lading.txt', stdout);
  });

  it('is shown, as misuse, when nothing is asked', async () => {
    const { code, stdout, stderr } = await runCli([], { cwd: await tempDir() });
    expect([code, stdout]).toEqual([2, '']);
    expectGolden('help/lading.txt', stderr);
  });

  it.each(commands.map(({ name }) => name))('of %s', async name => {
    const cwd = await tempDir();
    const { code, stdout, stderr } = await runCli([...name.split(' '), '--help'], { cwd });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('Examples:\n  ');
    expectGolden(`help/${name.replace(' ', '-')}.txt`, stdout);
    const other = await runCli(['help', ...name.split(' ')], { cwd });
    expect(other.stdout).toBe(stdout);
    expect(await runCli([...name.split(' '), '-h'], { cwd })).toMatchObject({ code: 0, stdout });
  });

  it('is plain ASCII, which the built program relies on', async () => {
    const cwd = await tempDir();
    for (const { name } of commands) {
      const { stdout } = await runCli([...name.split(' '), '--help'], { cwd });
      expect(stdout).toMatch(/^[\n -~]*$/);
    }
  });

  it('has a golden text for each command and no other', () => {
    const files = readdirSync(fileURLToPath(new URL('../../testdata/help', import.meta.url)));
    const expected = ['lading.txt', ...commands.map(({ name }) => `${name.replace(' ', '-')}.txt`)];
    expect(files.sort()).toEqual(expected.sort());
  });
});
