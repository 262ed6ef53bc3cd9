import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { cli, runCli } from '../support/run-cli.js';
import { tempDir } from '../support/temp-dir.js';

const hour = 3_600_000;
let cwd: string;
let now: number;

/** The options of a run, with a clock that the test sets. */
const at = () => ({ cwd, now: () => now });

async function build(name: string, text: string): Promise<string> {
  await writeFile(join(cwd, 'app', 'text'), text);
  return (await cli(['build', '-q', '-t', name, 'app'], at())).trim();
}

beforeEach(async () => {
  cwd = await tempDir();
  now = Date.UTC(2026, 0, 1);
  await mkdir(join(cwd, 'app'));
  await writeFile(join(cwd, 'app', 'Dockerfile'), 'FROM scratch\nCOPY text /\n');
});

describe('images', () => {
  it('lists names, newest first, with their real age', async () => {
    const first = await build('reg.example/team/app:1.0', 'first');
    now += 3 * hour;
    const second = await build('app', 'second');
    now += 5000;
    const lines = (await cli(['images'], at())).split('\n').map(line => line.split(/ {2,}/));
    expect(lines.map(cells => cells.slice(0, 4))).toEqual([
      ['REPOSITORY', 'TAG', 'IMAGE ID', 'CREATED'],
      ['app', 'latest', second.slice(7, 19), '5 seconds ago'],
      ['reg.example/team/app', '1.0', first.slice(7, 19), '3 hours ago'],
      [''],
    ]);
    expect(await cli(['images', '-q'], at())).toBe(`${second.slice(7, 19)}\n${first.slice(7, 19)}\n`);
    expect(await cli(['images', '-q', '--no-trunc'], at())).toBe(`${second}\n${first}\n`);
  });

  it('chooses by name', async () => {
    await build('app:1', 'a');
    await build('app:2', 'b');
    await build('reg.example/team/app:1', 'c');
    const names = async (...args: string[]): Promise<string[]> =>
      JSON.parse(await cli(['images', '--json', ...args], at()))
        .map((image: { name: string }) => image.name)
        .sort();
    expect(await names('app')).toEqual(['docker.io/library/app:1', 'docker.io/library/app:2']);
    expect(await names('app:2')).toEqual(['docker.io/library/app:2']);
    expect(await names('docker.io/library/app:2')).toEqual(['docker.io/library/app:2']);
    expect(await names('reg.example/*')).toEqual(['reg.example/team/app:1']);
    expect(await names('*app:1')).toEqual(['docker.io/library/app:1', 'reg.example/team/app:1']);
    expect(await names('ap')).toEqual([]);
    expect(await names('ap', 'app:1')).toEqual(['docker.io/library/app:1']);
  });

  it('shows an image that lost its name, until it is pruned', async () => {
    const first = await build('app', 'first');
    await build('app', 'second');
    expect(await cli(['images'], at())).toContain(`<none>       <none>   ${first.slice(7, 19)}`);
    await cli(['prune', '--all'], at());
    expect(await cli(['images'], at())).not.toContain('<none>');
  });

  it('lists what it can of a damaged store', async () => {
    await build('app', 'text');
    for (const name of await readdir(join(cwd, 'store', 'blobs', 'sha256'))) {
      await rm(join(cwd, 'store', 'blobs', 'sha256', name));
    }
    const { code, stdout } = await runCli(['images'], at());
    expect(code).toBe(0);
    expect(stdout).toMatch(/^app +latest .* incomplete$/m);
  });

  it('looks at the images alone, whatever else the store holds', async () => {
    await build('app', 'text');
    // A loop of links: whoever reads this folder fails.
    for (const folder of ['snapshots', 'mounts', 'containers']) {
      await rm(join(cwd, 'store', folder), { recursive: true, force: true });
      await symlink(folder, join(cwd, 'store', folder));
    }
    const { code } = await runCli(['system', 'df'], at());
    expect(code).toBe(1);
    const [image] = JSON.parse(await cli(['images', '--json'], at()));
    expect(image.sizeBytes).toBeGreaterThan(0);
  });
});

describe('tag and rmi', () => {
  it('name images and take names away', async () => {
    const digest = await build('app:1', 'text');
    await cli(['tag', 'app:1', 'other:2'], at());
    await cli(['tag', digest.slice(7, 19), 'third'], at());
    await cli(['tag', digest, 'fourth'], at());
    const list = await cli(['images', '--json'], at());
    expect(JSON.parse(list).map((image: { digest: string }) => image.digest)).toEqual([digest, digest, digest, digest]);
    expect(await cli(['rmi', 'app:1', 'other:2'], at())).toBe('removed app:1\nremoved other:2\n');
    expect(await cli(['rmi', digest.slice(7, 13)], at())).toBe('removed fourth:latest\nremoved third:latest\n');
    expect(await cli(['images', '-q'], at())).toBe('');
  });

  it('take nothing when one of the names is not there, unless forced', async () => {
    await build('app:1', 'text');
    expect((await runCli(['rmi', 'app:1', 'unknown'], at())).code).toBe(1);
    expect(await cli(['images', '-q'], at())).not.toBe('');
    expect(await cli(['rmi', '-f', 'app:1', 'unknown'], at())).toBe('removed app:1\n');
  });
});

describe('inspect and history', () => {
  it('show an image to people', async () => {
    const digest = await build('app:1', 'text');
    const text = await cli(['inspect', '--verify', 'app:1'], at());
    expect(text).toContain('Name:         app:1\n');
    expect(text).toContain(`Digest:       ${digest}\n`);
    expect(text).toMatch(/^Layers, \d+B:\n {2}sha256:[0-9a-f]{64} {2}\d+B$/m);
  });

  it('show an image to programs', async () => {
    const digest = await build('app:1', 'text');
    const inspection = JSON.parse(await cli(['inspect', '--json', digest], at()));
    expect(inspection.descriptor.digest).toBe(digest);
    expect(inspection.manifest.layers).toHaveLength(1);
    expect(inspection.config.os).toBe('linux');
    const history = JSON.parse(await cli(['history', '--json', 'app:1'], at()));
    expect(history).toHaveLength(1);
    expect(history[0].created_by).toContain('COPY text /');
    expect(history[0].layer.digest).toBe(inspection.manifest.layers[0].digest);
  });

  it('show how an image came to be', async () => {
    await build('app:1', 'text');
    const text = await cli(['history', 'app:1'], at());
    expect(text).toMatch(/^CREATED +CREATED BY +SIZE +COMMENT\n2000-01-01T00:00:00Z +COPY text \//);
  });

  it('fail on an image that is not sound', async () => {
    await build('app:1', 'text');
    const { manifest } = JSON.parse(await cli(['inspect', '--json', 'app:1'], at()));
    const layer = join(cwd, 'store', 'blobs', 'sha256', manifest.layers[0].digest.slice(7));
    await rm(layer);
    await writeFile(layer, 'x'.repeat(manifest.layers[0].size));
    expect((await runCli(['inspect', '--verify', 'app:1'], at())).code).toBe(1);
    const check = await runCli(['fsck'], at());
    expect(check.code).toBe(1);
    expect(check.stdout).toContain('its bytes are those of');
    expect(check.stderr).toContain('--repair');
    const repaired = await runCli(['fsck', '--repair'], at());
    expect(repaired.stdout).toContain('repaired: ');
    expect(await build('app:1', 'text')).toMatch(/^sha256:/);
    expect((await runCli(['fsck', '--json'], at())).code).toBe(0);
  });
});

describe('save, load and copy', () => {
  it.each(['docker', 'oci'])('bring an image through a file of the format %s', async format => {
    const digest = await build('app:1', 'text');
    await cli(['save', '--format', format, '-o', 'app.tar', 'app:1'], at());
    const second = ['--root', 'second'];
    expect(await cli(['load', '-i', 'app.tar', ...second], at())).toBe(`app:1@${digest}\n`);
    await cli(['inspect', '--verify', 'app:1', ...second], at());
  });

  it('bring an image through a pipe', async () => {
    const digest = await build('app:1', 'text');
    const { bytes } = await runCli(['save', 'app:1'], at());
    const { code, stdout } = await runCli(['load', '--root', 'second'], { ...at(), stdin: bytes });
    expect([code, stdout]).toEqual([0, `app:1@${digest}\n`]);
  });

  it('do not call what comes through a pipe by a file that nobody knows', async () => {
    for (const stdin of [Buffer.alloc(10_000, 'x'), Buffer.alloc(10_240)]) {
      const { code, stderr } = await runCli(['load'], { ...at(), stdin });
      expect([code, stderr]).toEqual([1, expect.stringContaining('[INVALID_ARCHIVE]')]);
      expect(stderr).not.toContain(cwd);
    }
  });

  it('write no archive to a terminal', async () => {
    await build('app:1', 'text');
    expect((await runCli(['save', 'app:1'], { ...at(), terminal: { columns: 80 } })).code).toBe(2);
  });

  it('bring an image from place to place', async () => {
    const digest = await build('app:1', 'text');
    const places = [
      'store:app:1',
      'oci:folder:tag',
      'oci-archive:a.tar:tag',
      'docker-archive:b.tar:app:9',
      'store:end:1',
    ];
    for (const [place, destination] of places.slice(1).entries()) {
      expect(await cli(['copy', places[place]!, destination], at())).toBe(`${digest}\n`);
    }
    expect(await cli(['inspect', '--verify', 'end:1'], at())).toContain(digest);
    expect(await cli(['inspect', 'oci:folder'], at())).toContain('Name:         oci:folder\n');
  });
});

describe('system df, prune and fsck', () => {
  it('account for the store and give back what nobody needs', async () => {
    await build('app:1', 'text');
    const usage = await cli(['system', 'df', '-v'], at());
    expect(usage).toMatch(/^Images +1 /m);
    expect(usage).toMatch(/^Containers +0 /m);
    expect(usage).toMatch(/^app:1 +sha256:[0-9a-f]{12} /m);
    expect(JSON.parse(await cli(['system', 'df', '--json'], at())).images.count).toBe(1);
    await cli(['rmi', 'app:1'], at());
    const plan = await cli(['prune', '--all', '--cache', '--dry-run'], at());
    expect(plan).toMatch(/^would delete .*: \d/);
    expect(await cli(['system', 'df', '--json'], at())).not.toContain('"totalBytes": 0');
    const report = JSON.parse(await cli(['prune', '--all', '--cache', '--json'], at()));
    expect(report.freedBytes).toBeGreaterThan(0);
    expect(await cli(['prune', '--keep-cache', '1.5GB'], at())).toBe('deleted nothing\n');
    expect(await cli(['fsck'], at())).toBe('0 blobs checked, 0 problems, 0 repaired\n');
  });

  it('find the store where the environment says', async () => {
    await build('app:1', 'text');
    const data = join(cwd, 'data');
    const env = { LADING_ROOT: undefined, XDG_DATA_HOME: data };
    await cli(['copy', '-q', 'oci:store:docker.io/library/app:1', 'store:app:1'], { ...at(), env });
    expect(await readdir(data)).toEqual(['lading']);
    expect(await cli(['images', '-q', '--root', 'data/lading'], at())).not.toBe('');
  });
});
