import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cli, runCli } from '../support/run-cli.js';
import { tempDir } from '../support/temp-dir.js';
import { startRegistry } from '../transport/registry/connected.js';

it('push and copy say what they would move, and move nothing', async () => {
  const cwd = await tempDir();
  const registry = await startRegistry();
  await mkdir(join(cwd, 'app'));
  await writeFile(join(cwd, 'app', 'Dockerfile'), 'FROM scratch\nCOPY Dockerfile /\n');
  const name = `${registry.host}/team/app:1`;
  await cli(['build', '-q', '-t', name, 'app'], { cwd });
  const plan = await cli(['push', '--dry-run', name], { cwd });
  expect(plan).toMatch(/^ACTION +SIZE +DIGEST\n(?:send +\S+ +sha256:[0-9a-f]{64}\n){3}\nto send: \S+ in 3 of 3\n$/);
  expect(registry.requests.every(({ method }) => method === 'GET' || method === 'HEAD')).toBe(true);
  await cli(['push', name], { cwd });
  expect(await cli(['push', '--dry-run', name], { cwd })).toMatch(/^exists/m);

  const target = `docker://${registry.host}/team/other:1`;
  registry.requests.length = 0;
  const moves = JSON.parse(await cli(['copy', '--dry-run', '--json', `docker://${name}`, target], { cwd }));
  expect(moves.moves.map(({ action }: { action: string }) => action).sort()).toEqual(['mount', 'mount', 'send']);
  expect(moves.moves.find(({ action }: { action: string }) => action === 'mount').from).toBe('team/app');
  expect(registry.requests.every(({ method }) => method === 'GET' || method === 'HEAD')).toBe(true);
  expect(registry.content.tags('team/other')).toBeUndefined();
  await cli(['copy', '--dry-run', `docker://${name}`, 'oci:folder:1'], { cwd });
  await expect(import('node:fs/promises').then(({ stat }) => stat(join(cwd, 'folder')))).rejects.toThrow('ENOENT');
  expect((await runCli(['push', '--json', name], { cwd })).code).toBe(2);
});

it('a push mounts what was pulled from elsewhere in the same registry', async () => {
  const cwd = await tempDir();
  const registry = await startRegistry();
  await mkdir(join(cwd, 'app'));
  await writeFile(join(cwd, 'app', 'Dockerfile'), 'FROM scratch\nCOPY Dockerfile /\n');
  const base = `${registry.host}/team/base:1`;
  await cli(['build', '-q', '-t', base, '--push', 'app'], { cwd });
  const second = { cwd, env: { LADING_ROOT: join(cwd, 'second') } };
  await cli(['pull', '-q', base], second);
  const pushed = await runCli(['push', base, `${registry.host}/team/app:1`], second);
  expect(pushed.stderr).toContain('mounted from team/base');
  // And what was pushed once is known, too.
  registry.content.deleteManifest('team/base', '1');
  for (const digest of registry.content.blobs('team/base')) registry.content.deleteBlob('team/base', digest);
  const again = await runCli(['push', base, `${registry.host}/team/third:1`], second);
  expect(again.stderr).toContain('mounted from team/app');
});
