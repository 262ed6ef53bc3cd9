import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { cli, runCli } from '../support/run-cli.js';
import { tempDir } from '../support/temp-dir.js';
import { startRegistry } from '../transport/registry/connected.js';

let cwd: string;

beforeEach(async () => {
  cwd = await tempDir();
  await mkdir(join(cwd, 'app'));
  await writeFile(join(cwd, 'app', 'Dockerfile'), 'FROM scratch\nCOPY Dockerfile /\n');
});

describe('--offline', () => {
  it('does with what is there, says so, and asks nobody', async () => {
    const registry = await startRegistry();
    const name = `${registry.host}/base:1`;
    await cli(['build', '-q', '-t', name, '--push', 'app'], { cwd });
    await writeFile(join(cwd, 'app', 'Dockerfile'), `FROM ${name}\nLABEL a=b\n`);
    registry.requests.length = 0;
    const pulled = await runCli(['pull', '--offline', name], { cwd });
    expect(pulled).toMatchObject({ code: 0, stderr: 'offline: no server is asked\n' });
    expect(pulled.stdout).toContain(name);
    const built = await runCli(['build', '--offline', '-t', 'child', 'app'], { cwd });
    expect(built.code, built.stderr).toBe(0);
    expect(built.stderr).toContain('offline: no server is asked\n');
    expect(registry.requests).toEqual([]);
  });

  it.each([
    ['pull', ['pull', '--offline', '$HOST/other:1']],
    ['pull for another platform', ['pull', '--offline', '--platform', 'linux/s390x', '$HOST/base:1']],
    ['push', ['push', '--offline', '$HOST/base:1']],
    ['copy', ['copy', '--offline', 'docker://$HOST/base:1', 'oci:x:1']],
    ['inspect', ['inspect', '--offline', 'docker://$HOST/base:1']],
    ['login', ['login', '--offline', '-u', 'a', '--password-stdin', '$HOST']],
    ['build --push', ['build', '--offline', '-t', '$HOST/base:2', '--push', 'app']],
  ])('fails for what needs a server: %s', async (_, argv) => {
    const registry = await startRegistry();
    const platforms = 'linux/amd64,linux/arm64';
    await cli(['build', '-q', '--platform', platforms, '-t', `${registry.host}/base:1`, 'app'], { cwd });
    const line = argv.map(word => word.replace('$HOST', registry.host));
    const { code, stdout, stderr } = await runCli(line, { cwd, stdin: 'password' });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('no server may be asked');
    expect(registry.requests).toEqual([]);
  });
});
