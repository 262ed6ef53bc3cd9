import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectGolden } from '../support/golden.js';
import { runCli } from '../support/run-cli.js';
import { tempDir } from '../support/temp-dir.js';

interface Case {
  readonly name: string;
  readonly dockerfile: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

/** Errors of builds as people see them: the whole of standard error. */
const cases: readonly Case[] = [
  { name: 'mistyped-instruction', dockerfile: 'FROM scratch\nCOPPY a /a\nCMD ["/a"]\n' },
  { name: 'missing-source', dockerfile: 'FROM scratch\nLABEL a=b\nCOPY nope.txt /\n' },
  {
    name: 'near-source',
    dockerfile: 'FROM scratch\nCOPY setings.json /\n',
    files: { 'settings.json': '{}' },
  },
  {
    name: 'ignored-source',
    dockerfile: 'FROM scratch\nCOPY secret.txt /\n',
    files: { 'secret.txt': 's', '.dockerignore': '# keep out\nsecret*\n' },
  },
  { name: 'unknown-target', dockerfile: 'FROM scratch AS build\nFROM build AS final\n', args: ['--target', 'fianl'] },
  { name: 'unknown-flag', dockerfile: 'FROM scratch\nCOPY --chwon=1 a /\n' },
  { name: 'no-from', dockerfile: 'COPY a /\n' },
  { name: 'control-characters', dockerfile: 'FROM scratch\nCO\u001b[31mPY a \u202e/\n' },
];

describe('errors of builds', () => {
  it.each(cases)('$name', async ({ name, dockerfile, files = {}, args = [] }) => {
    const cwd = await tempDir();
    await mkdir(join(cwd, 'app'));
    await writeFile(join(cwd, 'app', 'Dockerfile'), dockerfile);
    for (const [file, text] of Object.entries(files)) await writeFile(join(cwd, 'app', file), text);
    const { code, stdout, stderr } = await runCli(['build', ...args, 'app'], { cwd, now: () => 0 });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).not.toContain('\u001b');
    expectGolden(`cli-errors/${name}.txt`, stderr);
  });

  it('names a Dockerfile as it was written', async () => {
    const cwd = await tempDir();
    await mkdir(join(cwd, 'app'));
    await writeFile(join(cwd, 'app', 'build.dockerfile'), 'FORM scratch\n');
    const { stderr } = await runCli(['build', '-f', 'app/build.dockerfile', 'app'], { cwd });
    expect(stderr).toContain('\napp/build.dockerfile:1\n');
  });
});
