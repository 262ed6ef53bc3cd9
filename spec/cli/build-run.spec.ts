import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeFiles } from '../support/building.js';
import { bundledProgram } from '../support/bundled-program.js';
import { corpusRoot } from '../support/corpus.js';
import { describeWith } from '../support/programs.js';
import { cli, runCli } from '../support/run-cli.js';
import { sandboxPrograms } from '../support/running.js';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'lading-build-run-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const base = ['--build-context', `busybox=oci-layout://${corpusRoot}/bases/busybox`];
const env = { PATH: process.env['PATH'] };

function dockerfile(lines: string): void {
  writeFiles(cwd, { 'app/Dockerfile': `FROM busybox\n${lines}\n` });
}

const build = (...args: string[]) => runCli(['build', ...base, ...args, 'app'], { cwd, env });

describeWith(sandboxPrograms, 'lading build with RUN', () => {
  it('shows what commands write, and the cache the next time', async () => {
    dockerfile('RUN echo one; echo two >&2');
    const { stderr, code } = await build('-t', 'app');
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/^#1 \[2\/2\] RUN echo one; echo two >&2\n/);
    expect(stderr).toMatch(/^#1 \d+\.\d{3} one$/m);
    expect(stderr).toMatch(/^#1 \d+\.\d{3} two$/m);
    expect(stderr).toMatch(/^#1 DONE /m);
    expect((await build('-t', 'app')).stderr).toMatch(/^#1 CACHED$/m);
  });

  it('speaks in lines of JSON', async () => {
    dockerfile('RUN printf "\\303\\244"');
    const { stderr } = await build('--progress', 'rawjson');
    const events = stderr
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(events).toContainEqual(expect.objectContaining({ kind: 'output', stream: 'stdout', chunk: 'ä' }));
  });

  it('says why a command has failed, and what it has left', async () => {
    dockerfile('RUN echo said; echo x > /left; exit 9');
    const { stderr, code } = await build('--keep-failed');
    expect(code).toBe(1);
    expect(stderr).toContain('did not complete successfully: exit code: 9 [RUN_FAILED]');
    expect(stderr).toContain('------\nsaid\n------\n');
    expect(stderr).toMatch(/^ {3}2 \| >>> RUN echo said/m);
    expect(stderr).toContain('lading debug diff');
    expect(await cli(['debug', 'diff'], { cwd })).toBe('A /left\n');
    expect(await cli(['debug', 'cat', '/left'], { cwd })).toBe('x\n');
    expect(await cli(['debug', 'ls', '/left'], { cwd })).toMatch(/^-0644 {5}0:0 {6}2 {3}2\d{3}-\S+Z {3}left$/m);
    expect(JSON.parse(await cli(['debug', 'ls', '--json', '/home'], { cwd }))).toHaveLength(2);
    expect(JSON.parse(await cli(['debug', 'diff', '--json'], { cwd }))).toEqual([{ kind: 'added', path: '/left' }]);
    expect((await runCli(['debug', 'cat', '/gone'], { cwd })).code).toBe(1);
  });

  it('opens a shell where a command has failed', async () => {
    dockerfile('ENV A=b\nWORKDIR /opt\nRUN touch gone; exit 9');
    const bin = await bundledProgram(cwd);
    const args = [bin, 'build', '--root', join(cwd, 'store'), ...base, '--debug-shell', join(cwd, 'app')];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      input: 'echo "$A in $PWD"; ls gone; exit 3\n',
      encoding: 'utf8',
    });
    expect(stdout).toContain('b in /opt\n');
    expect(stderr).toContain('gone: No such file');
    expect(stderr).toContain('a shell among the files that it began with');
    expect(stderr).toContain('exit code: 9');
    expect(status).toBe(1);
  });

  it('takes the options of docker build for commands', async () => {
    dockerfile(
      'RUN grep own.test /etc/hosts; ulimit -n; df -k /dev/shm | tail -1\nRUN --network=host --security=insecure true',
    );
    const allowed = ['--allow', 'network.host,security.insecure', '--add-host', 'own.test:host-gateway'];
    const limits = ['--ulimit', 'nofile=77:99', '--shm-size', '2m', '--sandbox', 'auto'];
    const { stderr, code } = await build(...allowed, ...limits);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/127\.0\.0\.1\s+own\.test/);
    expect(stderr).toMatch(/ 77$/m);
    expect(stderr).toMatch(/ 2048 /);
    expect((await build('--sandbox', 'jail')).code).toBe(2);
  });

  it('has no network where the build is to have none', async () => {
    dockerfile('RUN ip -o link | grep -vc " lo:" || true');
    expect((await build('--network', 'none')).stderr).toMatch(/^#1 \d+\.\d{3} 0$/m);
    dockerfile('RUN --network=host true');
    expect((await build('--network', 'host')).code).toBe(0);
  });
});
