import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { cli, runCli } from '../support/run-cli.js';
import { tempDir } from '../support/temp-dir.js';

let cwd: string;

beforeEach(async () => {
  cwd = await tempDir();
  await mkdir(join(cwd, 'app', 'lib'), { recursive: true });
  await writeFile(
    join(cwd, 'app', 'Dockerfile'),
    'FROM scratch\nARG WHO=world\nLABEL who=$WHO\nCOPY . /app/\nCMD ["/app/run"]\n',
  );
  await writeFile(join(cwd, 'app', 'run'), 'run');
  await writeFile(join(cwd, 'app', 'lib', 'code'), 'x'.repeat(5000));
});

const digest = /sha256:[0-9a-f]{64}/;

async function labels(name: string): Promise<unknown> {
  return JSON.parse(await cli(['inspect', '--json', name], { cwd })).config.config.Labels;
}

describe('build', () => {
  it('prints the name with its digest, and how it went elsewhere', async () => {
    const { code, stdout, stderr } = await runCli(['build', '-t', 'app:1', '-t', 'other', 'app'], {
      cwd,
      now: () => 0,
    });
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^app:1@sha256:[0-9a-f]{64}\nother:latest@sha256:[0-9a-f]{64}\n$/);
    const shown = stderr.replace(/sha256:[0-9a-f]+/g, 'DIGEST').replace(/DONE \S+/, 'DONE SIZE');
    expect(shown.split('\n')).toEqual([
      '#1 ARG WHO=world',
      '#2 LABEL who=$WHO',
      '#3 [1/1] COPY . /app/',
      '#3 DONE SIZE 0.0s',
      '#4 CMD ["/app/run"]',
      'image DIGEST for linux/amd64',
      '',
    ]);
    const again = await runCli(['build', '-t', 'app:1', 'app'], { cwd });
    expect(again.stderr).toContain('#3 CACHED\n');
  });

  it('prints the digest alone with --quiet, and writes it to a file', async () => {
    const { code, stdout, stderr } = await runCli(['build', '-q', '--iidfile', 'id', '-t', 'app', 'app'], { cwd });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^sha256:[0-9a-f]{64}\n$/);
    expect(await readFile(join(cwd, 'id'), 'utf8')).toBe(stdout.trim());
  });

  it('takes arguments from the line and from the environment', async () => {
    await cli(['build', '-t', 'a', '--build-arg', 'WHO=line', 'app'], { cwd });
    expect(await labels('a')).toEqual({ who: 'line' });
    await cli(['build', '-t', 'b', '--build-arg', 'WHO', 'app'], { cwd, env: { WHO: 'environment' } });
    expect(await labels('b')).toEqual({ who: 'environment' });
    await cli(['build', '-t', 'c', '--build-arg', 'WHO', '--label', 'b=c=d', '--label', 'e', 'app'], { cwd });
    expect(await labels('c')).toEqual({ who: 'world', b: 'c=d', e: '' });
  });

  it('gives the Dockerfile the SOURCE_DATE_EPOCH of the environment', async () => {
    await cli(['build', '-t', 'a', 'app'], { cwd, env: { SOURCE_DATE_EPOCH: '86400' } });
    expect(JSON.parse(await cli(['inspect', '--json', 'a'], { cwd })).config.created).toBe('1970-01-02T00:00:00Z');
    const line = ['build', '-t', 'b', '--build-arg', 'SOURCE_DATE_EPOCH=0', 'app'];
    await cli(line, { cwd, env: { SOURCE_DATE_EPOCH: '86400' } });
    expect(JSON.parse(await cli(['inspect', '--json', 'b'], { cwd })).config.created).toBe('1970-01-01T00:00:00Z');
  });

  it.each([
    ['as the context', ['-']],
    ['as the Dockerfile of a context', ['-f', '-', 'app']],
    ['as the Dockerfile, spelled out', ['--file', '-', 'app']],
    ['as the Dockerfile, with an equals sign', ['--file=-', 'app']],
  ])('takes a Dockerfile from standard input %s', async (_, args) => {
    await cli(['build', '-t', 'a', ...args], { cwd, stdin: 'FROM scratch\nLABEL from=stdin\n' });
    expect(await labels('a')).toEqual({ from: 'stdin' });
  });

  it('refuses what looks like an archive on standard input and is none', async () => {
    const { code, stderr } = await runCli(['build', '-'], { cwd, stdin: Uint8Array.of(0x1f, 0x8b, 8, 0) });
    expect(code).toBe(1);
    expect(stderr).toContain('[INVALID_ARCHIVE]');
  });

  it('builds for several platforms', async () => {
    const args = ['--platform', 'linux/amd64,linux/arm64', '--platform', 'linux/arm/v7'];
    await cli(['build', '-t', 'a', ...args, 'app'], { cwd });
    const { index } = JSON.parse(await cli(['inspect', '--json', 'a'], { cwd }));
    expect(
      index.manifests.map((manifest: { platform: { architecture: string } }) => manifest.platform.architecture),
    ).toEqual(['amd64', 'arm64', 'arm']);
    const arm = await cli(['inspect', '--platform', 'linux/arm64', 'a'], { cwd });
    expect(arm).toContain('Platform:     linux/arm64\n');
  });

  it('writes outputs, from the folder that it was started in', async () => {
    const outputs = ['-o', 'files', '-o', 'type=docker,dest=docker.tar', '-o', 'type=oci,dest=layout,tar=false'];
    const { code, stderr } = await runCli(['build', '-t', 'a', ...outputs, 'app'], { cwd });
    expect(code, stderr).toBe(0);
    expect(await readFile(join(cwd, 'files', 'app', 'run'), 'utf8')).toBe('run');
    expect(JSON.parse(await readFile(join(cwd, 'layout', 'oci-layout'), 'utf8'))).toHaveProperty('imageLayoutVersion');
    expect(await cli(['load', '-q', '-i', 'docker.tar', '--root', 'second'], { cwd })).toMatch(/^a:latest@sha256:/);
  });

  it('writes an archive to standard output and nothing else', async () => {
    const { code, bytes, stderr } = await runCli(['build', '-t', 'a', '-o', 'type=oci,dest=-', 'app'], { cwd });
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/^a:latest@sha256:/m);
    await writeFile(join(cwd, 'a.tar'), bytes);
    expect(await cli(['inspect', '--verify', 'oci-archive:a.tar'], { cwd })).toContain('Verified:     every byte\n');
  });

  it('refuses to write an archive to a terminal', async () => {
    const { code, stderr } = await runCli(['build', '-o', 'type=oci,dest=-', 'app'], {
      cwd,
      terminal: { columns: 80 },
    });
    expect(code).toBe(2);
    expect(stderr).toContain('terminal');
  });

  it('uses contexts by name', async () => {
    await mkdir(join(cwd, 'more'));
    await writeFile(join(cwd, 'more', 'file'), 'more');
    await writeFile(join(cwd, 'app', 'Dockerfile'), 'FROM scratch\nCOPY --from=more file /\n');
    await cli(['build', '--build-context', 'more=more', '-o', 'out', 'app'], { cwd });
    expect(await readFile(join(cwd, 'out', 'file'), 'utf8')).toBe('more');
  });

  it('asks no registry with --offline', async () => {
    await writeFile(join(cwd, 'app', 'Dockerfile'), 'FROM base.invalid/image:1\n');
    const { code, stderr } = await runCli(['build', '--offline', 'app'], { cwd });
    expect(code).toBe(1);
    expect(stderr).toContain('[REFERENCE_NOT_FOUND]');
  });

  it('shows what lint rules found in the words of Docker', async () => {
    await writeFile(join(cwd, 'app', 'Dockerfile'), 'FROM scratch AS Foo\nLABEL a=b\n');
    const { stderr } = await runCli(['build', '--progress', 'plain', 'app'], { cwd });
    expect(stderr).toContain("warning: StageNameCasing: Stage name 'Foo' should be lowercase (line 1)");
  });

  it('warns of what the Dockerfile does not use', async () => {
    const { stderr } = await runCli(['build', '--build-arg', 'UNUSED=1', 'app'], { cwd });
    expect(stderr).toContain('warning: ');
    expect(stderr).toContain('UNUSED');
  });

  it('tells every event as a line of JSON', async () => {
    const { code, stdout, stderr } = await runCli(['build', '--progress', 'json', '-t', 'a', 'app'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toMatch(digest);
    const events = stderr
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line));
    const kinds = new Set(events.map(event => event.kind));
    expect([...kinds]).toEqual(expect.arrayContaining(['step-started', 'step-done', 'image-done']));
  });

  it('draws on a terminal, and leaves a clean end', async () => {
    const { code, stderr } = await runCli(['build', '-t', 'a', 'app'], { cwd, terminal: { columns: 60 } });
    expect(code).toBe(0);
    expect(stderr).toContain('#3 [1/1] COPY . /app/\n');
    expect(stderr.endsWith('\n')).toBe(true);
  });
});
