import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { RegistryServer } from '../../src/testing/registry-server.js';
import { cli, runCli } from '../support/run-cli.js';
import { tempDir } from '../support/temp-dir.js';
import { startRegistry } from '../transport/registry/connected.js';

const always = Number.POSITIVE_INFINITY;
let cwd: string;
let registry: RegistryServer;
let name: string;

beforeEach(async () => {
  cwd = await tempDir();
  await mkdir(join(cwd, 'app'));
  const copies = Array.from({ length: 6 }, (_, i) => `COPY f${i} /\n`);
  for (let i = 0; i < 6; i++) await writeFile(join(cwd, 'app', `f${i}`), `file ${i}`);
  await writeFile(join(cwd, 'app', 'Dockerfile'), `FROM scratch\n${copies.join('')}`);
  registry = await startRegistry();
  name = `${registry.host}/app:1`;
  await cli(['build', '-q', '-t', name, '--push', 'app'], { cwd });
  registry.requests.length = 0;
});

const elsewhere = () => ({ cwd, env: { LADING_ROOT: join(cwd, 'second') } });

describe('--timeout', () => {
  it('ends a command that takes longer, and says so', async () => {
    registry.inject({ path: /blobs/, times: always }, { kind: 'hang' });
    const begun = performance.now();
    for (const argv of [
      ['pull', '--timeout', '300ms', name],
      ['copy', '--timeout=0.3', `docker://${name}`, 'oci:folder:1'],
    ]) {
      const { code, stdout, stderr } = await runCli(argv, elsewhere());
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toContain('[TIMEOUT]');
    }
    expect(performance.now() - begun).toBeLessThan(20_000);
  });

  it('says nothing to one that is done in time', async () => {
    const { code, stdout } = await runCli(['pull', '-q', '--timeout', '1h30m', name], elsewhere());
    expect(code).toBe(0);
    expect(stdout).toContain(name);
  });

  it('leaves an interruption what it is', async () => {
    registry.inject({ path: /blobs/, times: always }, { kind: 'hang' });
    const stop = new AbortController();
    const work = runCli(['pull', '--timeout', '1m', name], { ...elsewhere(), signal: stop.signal });
    setTimeout(() => stop.abort(), 200);
    expect((await work).code).toBe(130);
  });

  it.each(['soon', '', '0', '-1s', '1d', '5s later', '9999h'])('is no %j', async written => {
    const { code, stderr } = await runCli(['pull', `--timeout=${written}`, name], elsewhere());
    expect([code, stderr.includes('[USAGE]')]).toEqual([2, true]);
  });
});

describe('--retry', () => {
  it.each([0, 2])('%i times a request is sent again', async times => {
    registry.inject({ method: 'GET', path: /blobs/, times: always }, { kind: 'answer', status: 503 });
    const { code, stderr } = await runCli(['pull', '--connections', '1', '--retry', String(times), name], elsewhere());
    expect([code, stderr.includes('[REGISTRY_RESPONSE]')]).toEqual([1, true]);
    const first = registry.requests.find(({ method, path }) => method === 'GET' && path.includes('/blobs/'))!;
    const sent = registry.requests.filter(({ method, path }) => method === first.method && path === first.path);
    expect(sent).toHaveLength(times + 1);
  });
});

describe('--connections', () => {
  it.each([1, 3])('%i blobs are on their way at a time', async most => {
    registry.inject({ method: 'GET', path: /blobs/, times: always }, { kind: 'delay', ms: 60 });
    const begun = performance.now();
    await cli(['pull', '-q', '--connections', String(most), name], elsewhere());
    // Seven blobs one after the other, or in three turns.
    expect(performance.now() - begun).toBeGreaterThan(most === 1 ? 7 * 60 : 3 * 60);
  });

  it.each([
    ['--connections', '0'],
    ['--connections', '1.5'],
    ['--retry', '-1'],
    ['--retry', 'often'],
    ['--parallel-ranges', '1000'],
  ])('%s %s is refused', async (option, value) => {
    const { code, stderr } = await runCli(['pull', option, value, name], elsewhere());
    expect([code, stderr.includes('[USAGE]')]).toEqual([2, true]);
    expect(registry.requests).toEqual([]);
  });
});
