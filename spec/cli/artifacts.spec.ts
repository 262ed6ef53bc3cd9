import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Digest } from '../../src/oci/digest.js';
import { encodeManifest } from '../../src/oci/manifest.js';
import { mediaTypes } from '../../src/oci/media-types.js';
import { cli, runCli } from '../support/run-cli.js';
import { tempDir } from '../support/temp-dir.js';
import { startRegistry } from '../transport/registry/connected.js';
import { blobOf } from '../transport/sample-image.js';

let cwd: string;

beforeEach(async () => {
  cwd = await tempDir();
  await mkdir(join(cwd, 'app'));
  await writeFile(join(cwd, 'app', 'Dockerfile'), 'FROM scratch\nCOPY Dockerfile /\n');
  await writeFile(join(cwd, 'parts.json'), '{"parts":[]}');
});

const attach = ['artifact', 'attach', '--artifact-type', 'application/spdx+json'];

describe.each([
  ['of a registry', true],
  ['of a registry without a list of them', false],
])('artifacts %s', (_, referrers) => {
  it('are attached, listed, fetched, copied with their image, and deleted', async () => {
    const { host, content } = await startRegistry({ referrers });
    const name = `${host}/team/app:1`;
    const digest = (await cli(['build', '-q', '-t', name, '--push', 'app'], { cwd })).trim().split('@').at(-1)!;
    const attached = await cli([...attach, '-q', '--annotation', 'who=me', name, 'parts.json:application/spdx+json'], {
      cwd,
    });
    const artifact = attached.trim();
    expect(await cli(['digest', name], { cwd })).toBe(`${digest}\n`);
    const listed = JSON.parse(await cli(['artifact', 'list', '--json', name], { cwd }));
    expect(listed.subject.digest).toBe(digest);
    expect(listed.referrers).toMatchObject([
      { digest: artifact, artifactType: 'application/spdx+json', annotations: { who: 'me' } },
    ]);
    expect(await cli(['artifact', 'list', name], { cwd })).toContain(artifact);
    expect(await cli(['artifact', 'list', '--artifact-type', 'x/y', name], { cwd })).not.toContain(artifact);

    const fetch = ['artifact', 'fetch', '-o', 'out', `${host}/team/app@${artifact}`];
    expect(await cli(fetch, { cwd })).toBe('parts.json\n');
    expect(await readFile(join(cwd, 'out', 'parts.json'), 'utf8')).toBe('{"parts":[]}');
    expect((await runCli(fetch, { cwd })).stderr).toContain('[PATH_INVALID]');
    expect(await cli([...fetch, '--overwrite'], { cwd })).toBe('parts.json\n');

    const other = await startRegistry({ referrers: !referrers });
    for (const place of ['oci:layout:1', 'store:copied:1', `docker://${other.host}/copied:1`]) {
      expect(await cli(['copy', '-q', '--referrers', `docker://${name}`, place], { cwd })).toBe(`${digest}\n`);
      const copied = JSON.parse(await cli(['artifact', 'list', '--json', place], { cwd }));
      expect(copied.referrers, place).toMatchObject([{ digest: artifact }]);
    }
    expect(await cli(['copy', '-q', '--referrers', 'oci:layout:1', 'oci:again:1'], { cwd })).toBe(`${digest}\n`);
    expect(await cli(['artifact', 'list', 'oci:again:1'], { cwd })).toContain(artifact);

    await cli(['delete', `${host}/team/app@${artifact}`], { cwd });
    expect(await cli(['artifact', 'list', name], { cwd })).not.toContain(artifact);
    expect(content.manifest('team/app', '1')?.digest).toBe(digest);
  });
});

describe('artifacts', () => {
  it('can be without files, and speak of one platform', async () => {
    const { host } = await startRegistry();
    const name = `${host}/app:1`;
    await cli(['build', '-q', '--platform', 'linux/amd64,linux/arm64', '-t', name, '--push', 'app'], { cwd });
    const one = ['--platform', 'linux/arm64', name];
    const artifact = (await cli(['artifact', 'attach', '--artifact-type', 'a/b', '-q', ...one], { cwd })).trim();
    expect(await cli(['artifact', 'list', name], { cwd })).not.toContain(artifact);
    expect(await cli(['artifact', 'list', ...one], { cwd })).toContain(artifact);
    const copied = await cli(['copy', '-q', '--referrers', `docker://${name}`, 'oci:layout:1'], { cwd });
    expect(copied).toMatch(/^sha256:/);
    expect(await cli(['artifact', 'list', '--platform', 'linux/arm64', 'oci:layout:1'], { cwd })).toContain(artifact);
  });

  it('CVE-2021-21272: never write outside of the folder that was asked for', async () => {
    const { host, content } = await startRegistry();
    const file = Buffer.from('evil');
    const digest = content.putBlob('app', file);
    const empty = blobOf(Buffer.from('{}'), mediaTypes.empty);
    content.putBlob('app', empty.bytes);
    for (const title of ['../evil', '/tmp/evil', 'a/b', '..', '', 'a\\b', 'c:d', 'a\nb']) {
      const bytes = encodeManifest({
        schemaVersion: 2,
        mediaType: mediaTypes.manifest,
        artifactType: 'a/b',
        config: empty.descriptor,
        layers: [
          {
            mediaType: 'text/plain',
            digest: digest as Digest,
            size: file.length,
            annotations: { 'org.opencontainers.image.title': title },
          },
        ],
      });
      content.putManifest('app', 'evil', mediaTypes.manifest, Buffer.from(bytes));
      const { code, stderr } = await runCli(['artifact', 'fetch', '-o', 'in/out', `${host}/app:evil`], { cwd });
      expect([code, stderr.includes('[PATH_INVALID]')], title).toEqual([1, true]);
    }
    expect(await readdir(cwd)).toEqual(['app', 'parts.json']);
  });

  it('are refused without a type, of what is no file, and in archives', async () => {
    const { host } = await startRegistry();
    const name = `${host}/app:1`;
    await cli(['build', '-q', '-t', name, '--push', 'app'], { cwd });
    const cases: Array<[string[], number, string]> = [
      [['artifact', 'attach', '--artifact-type', 'spdx', name], 2, 'INVALID_VALUE'],
      [[...attach, name, 'missing.json'], 1, 'IO'],
      [[...attach, name, 'app'], 1, 'PATH_INVALID'],
      [['artifact', 'list', `${host}/app:2`], 1, 'REFERENCE_NOT_FOUND'],
    ];
    for (const [line, exit, code] of cases) {
      const result = await runCli(line, { cwd });
      expect([result.code, result.stderr], line.join(' ')).toEqual([exit, expect.stringContaining(`[${code}]`)]);
    }
    await cli(['copy', '-q', `docker://${name}`, 'oci-archive:app.tar'], { cwd });
    expect((await runCli(['artifact', 'list', 'oci-archive:app.tar'], { cwd })).stderr).toContain('[UNSUPPORTED]');
  });
});
