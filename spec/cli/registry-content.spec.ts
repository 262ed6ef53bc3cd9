import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
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

const build = (...more: string[]): Promise<string> => cli(['build', '-q', ...more, 'app'], { cwd });
const sha256 = (bytes: string | Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

describe('what a registry has', () => {
  it('is listed: tags, repositories, what fits a word', async () => {
    const { host } = await startRegistry({ entriesPerPage: 1 });
    for (const name of ['app:1', 'app:2', 'team/tool:1']) await build('-t', `${host}/${name}`, '--push');
    expect(await cli(['tags', `${host}/app`], { cwd })).toBe('1\n2\n');
    expect(JSON.parse(await cli(['tags', '--json', `docker://${host}/app`], { cwd }))).toEqual(['1', '2']);
    expect(await cli(['catalog', host], { cwd })).toBe('app\nteam/tool\n');
    expect(JSON.parse(await cli(['search', '--json', '--registry', host, 'tool'], { cwd }))).toEqual([
      { name: 'team/tool' },
    ]);
    expect(await cli(['search', '--registry', host, 'tool'], { cwd })).toContain('team/tool');
    expect((await runCli(['tags', `${host}/none`], { cwd })).stderr).toContain('[REFERENCE_NOT_FOUND]');
  });

  it('is shown as it is: digests, manifests, blobs', async () => {
    const { host } = await startRegistry();
    const name = `${host}/app:1`;
    await build('--platform', 'linux/amd64,linux/arm64', '-t', name, '--push');
    const digest = (await cli(['digest', name], { cwd })).trim();
    expect(sha256(await cli(['manifest', name], { cwd }))).toBe(digest);
    expect(JSON.parse(await cli(['digest', '--json', name], { cwd }))).toMatchObject({ digest });
    const arm = await cli(['manifest', '--platform', 'linux/arm64', name], { cwd });
    expect(await cli(['digest', '--platform', 'linux/arm64', name], { cwd })).toBe(`${sha256(arm)}\n`);
    const config = JSON.parse(arm).config.digest as string;
    await cli(['copy', '-q', `docker://${name}`, 'oci:folder:1'], { cwd });
    for (const place of [`${host}/app@${config}`, `store:${config}`, `oci:folder:${config}`]) {
      expect(sha256(await cli(['blob', place], { cwd })), place).toBe(config);
    }
    await cli(['blob', '-o', 'config.json', `${host}/app@${config}`], { cwd });
    expect(sha256(await readFile(join(cwd, 'config.json')))).toBe(config);
  });

  it('is not written to a file when it is not whole', async () => {
    const server = await startRegistry();
    const digest = server.content.putBlob('app', Buffer.alloc(100_000, 7));
    server.inject({ method: 'GET', path: /blobs/ }, { kind: 'answer', status: 200, body: 'x'.repeat(100_000) });
    const result = await runCli(['blob', '-o', 'file', `${server.host}/app@${digest}`], { cwd });
    expect([result.code, result.stderr]).toEqual([1, expect.stringContaining('[DIGEST_MISMATCH]')]);
    expect(await readdir(cwd)).toEqual(['app']);
    const missing = await runCli(['blob', `${server.host}/app@${sha256('none')}`], { cwd });
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('[BLOB_NOT_FOUND]')]);
    expect((await runCli(['blob', `${server.host}/app:1`], { cwd })).code).toBe(2);
  });

  it('is deleted only when it is said what', async () => {
    const { host, content } = await startRegistry();
    await build('-t', `${host}/app:latest`, '--push');
    await build('-t', `${host}/app:1`, '--push');
    for (const vague of [`${host}/app`, 'store:app:1', 'oci:folder:1']) {
      expect((await runCli(['delete', vague], { cwd })).code, vague).toBe(2);
    }
    expect(await cli(['delete', `${host}/app:1`], { cwd })).toBe(`deleted ${host}/app:1\n`);
    expect(content.tags('app')).toEqual(['latest']);
    const digest = content.manifest('app', 'latest')!.digest;
    const layer = JSON.parse(await cli(['manifest', `${host}/app`], { cwd })).layers[0].digest;
    await cli(['delete', '--blob', `${host}/app@${layer}`], { cwd });
    expect(content.blob('app', layer)).toBeUndefined();
    await cli(['delete', `${host}/app@${digest}`], { cwd });
    expect(content.tags('app')).toEqual([]);
    expect((await runCli(['delete', `${host}/app:1`], { cwd })).stderr).toContain('[REFERENCE_NOT_FOUND]');
  });

  it('is copied tag by tag', async () => {
    const { host } = await startRegistry();
    for (const tag of ['1.0', '1.1', '2.0']) await build('-t', `${host}/app:${tag}`, '--push');
    const other = await startRegistry();
    const places = [`docker://${host}/app`, `docker://${other.host}/mirror`];
    await cli(['copy', '-q', '--tags', '1.*', ...places], { cwd });
    expect(other.content.tags('mirror')).toEqual(['1.0', '1.1']);
    const copied = await cli(['copy', '-q', '--all-tags', ...places], { cwd });
    expect(copied.split('\n').map(line => line.split(' ')[0])).toEqual(['1.0', '1.1', '2.0', '']);
    expect((await runCli(['copy', '--all-tags', 'docker://a/b:1', 'docker://a/c'], { cwd })).code).toBe(2);
  });
});
