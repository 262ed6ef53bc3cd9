import { readdirSync } from 'node:fs';
import { cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectGolden } from '../support/golden.js';
import { cli, runCli } from '../support/run-cli.js';
import { tempDir } from '../support/temp-dir.js';

const cases = fileURLToPath(new URL('../../testdata/calls/', import.meta.url));
let cwd: string;

beforeAll(async () => {
  cwd = await tempDir();
  for (const name of readdirSync(cases)) {
    await mkdir(join(cwd, name));
    await cp(join(cases, name, 'Dockerfile'), join(cwd, name, 'Dockerfile'));
  }
  const base = 'FROM scratch\nENV NAME=base\nONBUILD ARG FROM_TRIGGER=1\n';
  await cli(['build', '-q', '-t', 'example.org/base:1', '-'], { cwd, stdin: base });
  await cli(['build', '-q', '-t', 'example.org/base:2', '-'], { cwd, stdin: 'FROM scratch\nENV NAME=second\n' });
});

async function call(folder: string, ...args: string[]) {
  return await runCli(['build', '--offline', ...args, folder], { cwd });
}

describe('what is said about', () => {
  it.each(readdirSync(cases))('%s', async name => {
    for (const method of ['check', 'outline', 'targets']) {
      for (const format of ['text', 'json']) {
        const { code, stdout, stderr } = await call(name, `--call=${method},format=${format}`);
        const file = `calls/${name}/${method}.${format === 'json' ? 'json' : 'txt'}`;
        expectGolden(file, `${stdout}${stderr === '' ? '' : `-- standard error\n${stderr}`}-- exit code ${code}\n`);
      }
    }
  });
});

describe('--check', () => {
  it('ends with 1 when there are warnings, and with 0 when there are none', async () => {
    expect(await call('single', '--check')).toMatchObject({ code: 1, stderr: '' });
    expect(await call('sound', '--check')).toMatchObject({ code: 0, stdout: 'Check complete, no warnings found.\n' });
    expect(await call('single', '--call=lint')).toEqual(await call('single', '--check'));
    expect(await call('single', '--call=check,ignorestatus')).toMatchObject({ code: 0 });
  });

  it('looks at every stage, with a target at those that it needs', async () => {
    const all = await call('many', '--check');
    expect(all.stdout).toContain('WARNING: MaintainerDeprecated\n');
    expect(all.stdout).toContain('WARNING: JSONArgsRecommended\n');
    const some = await call('many', '--check', '--target', 'build');
    expect(some.stdout).not.toContain('JSONArgsRecommended');
    expect(await call('many', '--check', '--target', 'nothing')).toMatchObject({ code: 1 });
  });

  it('leaves out what the file skips', async () => {
    const stdin = '# check=skip=JSONArgsRecommended;error=true\nFROM scratch\nCMD run\n';
    const { code, stdout } = await runCli(['build', '--check', '-'], { cwd, stdin });
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'Check complete, no warnings found.\n' });
  });

  it('knows what .dockerignore leaves out', async () => {
    const context = await tempDir();
    await writeFile(join(context, 'Dockerfile'), 'FROM scratch\nCOPY dist/a /\n');
    await writeFile(join(context, '.dockerignore'), 'dist\n');
    const { stdout } = await runCli(['build', '--check', context], { cwd });
    expect(stdout).toContain('WARNING: CopyIgnoredFile\n');
  });

  it('builds nothing, names nothing and fetches no layer', async () => {
    const before = await readdir(join(cwd, 'store', 'blobs', 'sha256'));
    await call('sound', '--check', '-t', 'app', '-o', 'out', '--push');
    await call('sound', '--call', 'outline', '-t', 'app');
    expect(await readdir(join(cwd, 'store', 'blobs', 'sha256'))).toEqual(before);
    expect(await cli(['images'], { cwd })).not.toContain('app');
    expect(await readdir(cwd)).not.toContain('out');
  });

  it('shows no control characters', async () => {
    const stdin = 'FROM scratch AS \x1b[31mRed\nCMD run \x1b[2J\n';
    for (const method of ['check', 'outline', 'targets']) {
      const { stdout } = await runCli(['build', '--call', method, '-'], { cwd, stdin });
      expect(stdout).not.toContain('\x1b');
    }
  });
});

describe('--call outline', () => {
  it('has the values of this build', async () => {
    const { stdout } = await call('many', '--call=outline', '--build-arg', 'release=2', '--build-arg', 'FLAGS=-O0');
    expect(stdout).toMatch(/^base +example\.org\/base:2$/m);
    expect(stdout).toMatch(/^FLAGS +-O0 +go to the compiler$/m);
    expect(stdout).toMatch(/^who +second$/m);
    expect(stdout).not.toContain('FROM_TRIGGER');
  });

  it('is of the target', async () => {
    const { stdout } = await call('many', '--call=outline', '--target', 'extra');
    expect(stdout).toMatch(/^TARGET: +extra$/m);
    expect(stdout).toMatch(/^EXTRA$/m);
    expect(stdout).not.toContain('FLAGS');
  });

  it('needs the bases', async () => {
    const { code, stderr } = await call('many', '--call=outline', '--build-arg', 'release=3');
    expect(code).toBe(1);
    expect(stderr).toContain('[REFERENCE_NOT_FOUND]');
  });
});

describe('--call', () => {
  it('lists targets without any base', async () => {
    const stdin = 'FROM nowhere.invalid/x:1 AS a\nFROM $unset\n';
    const { code, stdout } = await runCli(['build', '--call', 'targets', '-'], { cwd, stdin });
    expect(code).toBe(0);
    expect(stdout).toContain('nowhere.invalid/x:1');
  });

  it('may be build', async () => {
    expect(await call('sound', '-q', '--call', 'build')).toMatchObject({ code: 0 });
  });

  it.each([
    ['--call=subrequests.describe'],
    ['--call=outline,format=xml'],
    ['--call=outline,fancy'],
    ['--call='],
    ['--check', '--call=outline'],
  ])('refuses %s %s', async (...args) => {
    const { code, stdout, stderr } = await call('sound', ...args.filter(arg => arg !== undefined));
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('[USAGE]');
  });
});
