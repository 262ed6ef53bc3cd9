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

const build = (...more: string[]): Promise<string> => cli(['build', '-q', ...more, 'app'], { cwd });

async function platforms(place: string): Promise<string[]> {
  const { index } = JSON.parse(await cli(['index', 'inspect', '--json', place], { cwd }));
  return index.manifests.map(
    ({ platform }: { platform: { os: string; architecture: string; variant?: string } }) =>
      `${platform.os}/${platform.architecture}${platform.variant ? `/${platform.variant}` : ''}`,
  );
}

describe('indexes', () => {
  it('are made of images in any place, changed, and looked at', async () => {
    const { host } = await startRegistry();
    await build('--platform', 'linux/amd64', '-t', `${host}/app:amd`, '--push');
    await build('--platform', 'linux/arm64', '-t', `${host}/other:arm`, '--push');
    await build('--platform', 'linux/s390x', '-t', 'local:s390x');
    const name = `${host}/app:1`;
    const create = ['index', 'create', '-q', '--annotation', 'a=b', name, `${host}/app:amd`, `${host}/other:arm`];
    const first = await cli(create, { cwd });
    expect(await cli(['digest', name], { cwd })).toBe(first);
    expect(await platforms(name)).toEqual(['linux/amd64', 'linux/arm64']);
    expect(JSON.parse(await cli(['manifest', name], { cwd })).annotations).toEqual({ a: 'b' });

    await cli(['index', 'append', '-q', name, 'store:local:s390x'], { cwd });
    expect(await platforms(name)).toEqual(['linux/amd64', 'linux/arm64', 'linux/s390x']);
    // What is there for a platform already gives way.
    await writeFile(join(cwd, 'app', 'Dockerfile'), 'FROM scratch\nCOPY Dockerfile /other\n');
    await build('--platform', 'linux/arm64', '-t', 'local:arm');
    await cli(['index', 'append', '-q', name, 'store:local:arm'], { cwd });
    expect(await platforms(name)).toEqual(['linux/amd64', 'linux/s390x', 'linux/arm64']);
    const arm = await cli(['digest', '--platform', 'linux/arm64', name], { cwd });
    expect(await cli(['digest', 'store:local:arm'], { cwd })).toBe(arm);
    await cli(['index', 'remove', '-q', name, 'linux/arm64', 'linux/s390x'], { cwd });
    expect(await platforms(name)).toEqual(['linux/amd64']);
    expect(JSON.parse(await cli(['manifest', name], { cwd })).annotations).toEqual({ a: 'b' });
    await cli(['index', 'create', '-q', 'oci:folder:1', name, 'store:local:arm'], { cwd });
    expect(await cli(['index', 'inspect', 'oci:folder:1'], { cwd })).toContain('linux/arm64');
    expect(await cli(['inspect', '--verify', '--platform', 'linux/arm64', 'oci:folder:1'], { cwd })).toContain(
      arm.trim(),
    );
  });

  it('keep the statements about their images', async () => {
    const { host } = await startRegistry();
    const provenance = ['--provenance', 'mode=max'];
    await build('--platform', 'linux/amd64', ...provenance, '-t', `${host}/app:amd`, '--push');
    await build('--platform', 'linux/arm64', ...provenance, '-t', `${host}/app:arm`, '--push');
    await cli(['index', 'create', '-q', `${host}/app:1`, `${host}/app:amd`, `${host}/app:arm`], { cwd });
    const both = ['linux/amd64', 'linux/arm64', 'unknown/unknown', 'unknown/unknown'];
    expect(await platforms(`${host}/app:1`)).toEqual(both);
    await cli(['index', 'remove', '-q', `${host}/app:1`, 'linux/amd64'], { cwd });
    expect(await platforms(`${host}/app:1`)).toEqual(['linux/arm64', 'unknown/unknown']);
  });

  it('refuse what makes none', async () => {
    const { host } = await startRegistry();
    await build('--platform', 'linux/amd64', '-t', `${host}/app:1`, '--push');
    await writeFile(join(cwd, 'app', 'Dockerfile'), 'FROM scratch\nCOPY Dockerfile /other\n');
    await build('--platform', 'linux/amd64', '-t', `${host}/app:2`, '--push');
    const cases: Array<[string[], number, string]> = [
      [['create', `${host}/app:x`, `${host}/app:1`, `${host}/app:2`], 2, 'both for linux/amd64'],
      [['append', `${host}/app:1`, `${host}/app:2`], 2, 'not an index'],
      [['inspect', `${host}/app:1`], 2, 'not an index'],
      [['create', `${host}/app:x`, `${host}/app:3`], 1, '[REFERENCE_NOT_FOUND]'],
    ];
    for (const [line, code, text] of cases) {
      const result = await runCli(['index', ...line], { cwd });
      expect([result.code, result.stderr], line.join(' ')).toEqual([code, expect.stringContaining(text)]);
    }
    await cli(['index', 'create', '-q', `${host}/app:x`, `${host}/app:1`], { cwd });
    const missing = await runCli(['index', 'remove', `${host}/app:x`, 'linux/arm64'], { cwd });
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('[PLATFORM_NOT_FOUND]')]);
    const last = await runCli(['index', 'remove', `${host}/app:x`, 'linux/amd64'], { cwd });
    expect([last.code, last.stderr]).toEqual([2, expect.stringContaining('nothing would be left')]);
  });
});

describe('an index of parts', () => {
  const expected = ['--part', 'run-7', '--expect', 'linux/arm64,linux/amd64'];

  /** Two machines build, each its own platform, push its part, and merge when all is there. */
  async function machines(order: readonly string[]): Promise<string> {
    const { host, content } = await startRegistry();
    const name = `${host}/app:1`;
    let digest = '';
    for (const platform of order) {
      const env = { LADING_ROOT: join(cwd, platform.replace('/', '-')) };
      await cli(['build', '-q', '--platform', platform, '-t', name, 'app'], { cwd, env });
      await cli(['push', '-q', '--part', 'run-7', name], { cwd, env });
      digest = await cli(['index', 'merge', '-q', name, ...expected, '--if-complete'], { cwd, env });
    }
    expect(await platforms(name)).toEqual(['linux/amd64', 'linux/arm64']);
    expect(content.tags('app')).toEqual(['1', '1.run-7.linux-amd64', '1.run-7.linux-arm64']);
    return digest;
  }

  it('is the same in whatever order the parts come, and when some come twice', async () => {
    const digest = await machines(['linux/amd64', 'linux/arm64']);
    expect(digest).toMatch(/^sha256:/);
    expect(await machines(['linux/arm64', 'linux/amd64'])).toBe(digest);
    expect(await machines(['linux/arm64', 'linux/amd64', 'linux/arm64'])).toBe(digest);
  });

  it('is the same for machines that do it at the same time, each waiting for the other', async () => {
    const { host, content } = await startRegistry();
    const name = `${host}/app:1`;
    const wanted = ['linux/amd64', 'linux/arm64'];
    const machine = async (platform: string, store: string): Promise<string> => {
      const env = { LADING_ROOT: join(cwd, store) };
      await cli(['build', '-q', '--platform', platform, '-t', name, 'app'], { cwd, env });
      await cli(['push', '-q', '--part', 'run-7', name], { cwd, env });
      return cli(['index', 'merge', '-q', name, ...expected, '--wait', '60'], { cwd, env });
    };
    // Each platform twice, as when a job is started again before it has ended.
    const jobs = [...wanted, ...wanted].map((platform, i) => machine(platform, `store-${i}`));
    const digests = await Promise.all(jobs);
    expect(new Set(digests)).toEqual(new Set([await machines(wanted)]));
    expect(content.manifest('app', '1')?.digest).toBe(digests[0]?.trim());
  });

  it('fails clearly while one is missing, and takes none of another run', async () => {
    const { host } = await startRegistry();
    const name = `${host}/app:1`;
    for (const [platform, part] of [
      ['linux/amd64', 'run-7'],
      ['linux/arm64', 'run-6'],
    ] as const) {
      await build('--platform', platform, '-t', name);
      await cli(['push', '-q', '--part', part, name], { cwd });
    }
    const merged = await runCli(['index', 'merge', name, ...expected], { cwd });
    expect([merged.code, merged.stderr]).toEqual([1, expect.stringContaining('linux/arm64')]);
    expect(merged.stderr).toContain('[PLATFORM_NOT_FOUND]');
    const later = await runCli(['index', 'merge', name, ...expected, '--if-complete'], { cwd });
    expect([later.code, later.stdout]).toEqual([0, '']);
  });

  it('is no place for images of several platforms, and needs a tag', async () => {
    const { host } = await startRegistry();
    await build('--platform', 'linux/amd64,linux/arm64', '-t', `${host}/app:1`);
    expect((await runCli(['push', '--part', 'a', `${host}/app:1`], { cwd })).code).toBe(2);
    await build('--platform', 'linux/amd64', '-t', `${host}/app:1`);
    expect((await runCli(['push', '--part', 'a b', `${host}/app:1`], { cwd })).stderr).toContain('[INVALID_VALUE]');
  });
});
