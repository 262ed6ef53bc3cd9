import { lstatSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { expectGolden } from '../support/golden.js';
import { cli, runCli } from '../support/run-cli.js';
import { tempDir } from '../support/temp-dir.js';
import { startRegistry } from '../transport/registry/connected.js';

let cwd: string;

beforeEach(async () => {
  cwd = await tempDir();
  await mkdir(join(cwd, 'app'));
  await writeFile(
    join(cwd, 'app', 'Dockerfile'),
    'FROM scratch AS base\nARG TARGETARCH\nARG NPM_TOKEN\nCOPY run /bin/run\nCOPY <<EOF /arch-$TARGETARCH\nEOF\nLABEL a=b\n',
  );
  await writeFile(join(cwd, 'app', 'run'), 'run'.repeat(1000));
});

async function build(...args: string[]) {
  const result = await runCli(['build', ...args, 'app'], { cwd });
  expect(result.code, result.stderr).toBe(0);
  return result;
}

async function refused(...args: string[]): Promise<string | undefined> {
  const { code, stdout, stderr } = await runCli(['build', ...args, 'app'], { cwd });
  expect([code, stdout]).toEqual([2, '']);
  return /\[([A-Z_]+)\]/.exec(stderr)?.[1];
}

async function json(path: string) {
  return JSON.parse(await readFile(join(cwd, path), 'utf8'));
}

async function blob(layout: string, digest: string) {
  return await json(join(layout, 'blobs', digest.replace(':', '/')));
}

async function entryOf(layout: string) {
  return (await json(join(layout, 'index.json'))).manifests[0];
}

async function manifestOf(layout: string) {
  return await blob(layout, (await entryOf(layout)).digest);
}

/** Without what depends on the modes of the test's own files, and on how well this Node compresses. */
function stable(text: string): string {
  return text.replace(/[0-9a-f]{64}/g, 'HEX').replace(/"size": \d+/g, '"size": 0');
}

/** Digests of what layouts hold, of which none lacks anything. */
async function digestsOf(...layouts: string[]): Promise<string[]> {
  for (const layout of layouts)
    expect(await cli(['inspect', '--verify', `oci:${layout}`], { cwd })).toContain('every byte');
  return await Promise.all(layouts.map(async layout => (await entryOf(layout)).digest));
}

const twoPlatforms = ['--platform', 'linux/amd64,linux/arm64'];
const layout = (name: string, settings = ''): string[] => ['-o', `type=oci,dest=${name},tar=false${settings}`];

describe('several outputs', () => {
  const kinds = ['', ',compression=uncompressed', ',compression-level=9', ',oci-mediatypes=false', ',annotation.a=1'];

  it('hold images that differ, each as a build for it alone gives it', { timeout: 60_000 }, async () => {
    const names = kinds.map((_, i) => `l${i}`);
    await build('-t', 'app', ...names.flatMap((name, i) => layout(name, kinds[i])));
    const together = await digestsOf(...names);
    expect(new Set(together).size).toBe(kinds.length);
    expect(await cli(['inspect', 'app'], { cwd })).toContain(together[0]);
    for (const [i, kind] of kinds.entries()) {
      await runCli(['build', '--root', `store${i}`, ...layout(`alone${i}`, kind), 'app'], { cwd });
      expect(await digestsOf(`alone${i}`), kind).toEqual([together[i]]);
    }
    const diffIds = await Promise.all(
      names.map(async name => (await blob(name, (await manifestOf(name)).config.digest)).rootfs.diff_ids),
    );
    expect(new Set(diffIds.map(ids => ids.join())).size).toBe(1);
  });

  it('take compression and level in one word, or in two', async () => {
    await build('--compression', 'gzip:1', ...layout('one'));
    await build('--compression', 'gzip', '--compression-level', '1', ...layout('two'));
    await build(...layout('own', ',compression=gzip,compression-level=1'));
    const [one, ...others] = await digestsOf('one', 'two', 'own');
    expect(others).toEqual([one, one]);
    await build('--compression', 'none', ...layout('none'));
    await build('--compression', 'uncompressed', ...layout('uncompressed'));
    const [none, uncompressed] = await digestsOf('none', 'uncompressed');
    expect(uncompressed).toBe(none);
    expect(none).not.toBe(one);
  });

  it('compress layers of the base image only by force', async () => {
    await build('-t', 'parent', ...layout('parent'));
    await writeFile(join(cwd, 'app', 'Dockerfile'), 'FROM parent\nCOPY run /second\n');
    const before = (await manifestOf('parent')).layers;
    await build(
      ...layout('left', ',compression=uncompressed'),
      ...layout('forced', ',compression=uncompressed,force-compression=true'),
    );
    const left = (await manifestOf('left')).layers;
    const forced = (await manifestOf('forced')).layers;
    expect(left.slice(0, 2)).toEqual(before);
    expect(forced).toHaveLength(3);
    expect(forced[2]).toEqual(left[2]);
    for (const [i, layer] of forced.entries()) {
      expect(layer.mediaType).toBe('application/vnd.oci.image.layer.v1.tar');
      if (i === 2) continue;
      const packed = await readFile(join(cwd, 'left', 'blobs', left[i].digest.replace(':', '/')));
      expect(
        gunzipSync(packed).equals(await readFile(join(cwd, 'forced', 'blobs', layer.digest.replace(':', '/')))),
      ).toBe(true);
    }
    const [, again] = await digestsOf('left', 'forced');
    await build(...layout('again', ',compression=uncompressed,force-compression=true'));
    expect(await digestsOf('again')).toEqual([again]);
    // For the whole build it is the same, unless an output says otherwise.
    const forcing = ['--compression', 'none', '--force-compression'];
    await build(...forcing, ...layout('whole'), ...layout('spared', ',force-compression=false'));
    expect(await digestsOf('whole', 'spared')).toEqual([again, (await digestsOf('left'))[0]]);
    // Compressed the same way already: nothing to force.
    await build(...layout('same', ',force-compression=true'));
    expect((await manifestOf('same')).layers.slice(0, 2)).toEqual(before);
  });

  it('go to the store and to registries under names of their own', async () => {
    const { host } = await startRegistry();
    const repository = `${host}/team/app`;
    const outputs = [
      ['-o', `type=image,name=${repository}:gzip,push=true`],
      ['-o', `type=registry,name=${repository}:plain,compression=uncompressed,store=false`],
      ['-o', `type=image,name=${repository},push=true,push-by-digest=true,name-canonical=true,annotation.a=1`],
      ['-o', 'type=image,dangling-name-prefix=kept,annotation.b=1'],
    ];
    await build('--metadata-file', 'meta.json', ...outputs.flat());
    const gzip = await cli(['inspect', '--json', `docker://${repository}:gzip`], { cwd });
    const plain = await cli(['inspect', '--json', `docker://${repository}:plain`], { cwd });
    expect(JSON.parse(gzip).manifest.layers[0].mediaType).toMatch(/gzip$/);
    expect(JSON.parse(plain).manifest.layers[0].mediaType).toMatch(/tar$/);
    const listed: Array<{ name: string; digest: string }> = JSON.parse(await cli(['images', '--json'], { cwd }));
    const names = listed.map(({ name }) => name).sort();
    expect(names).toEqual([
      `${repository}:gzip`,
      expect.stringMatching(new RegExp(`^${repository}@sha256:`)),
      expect.stringMatching(/^docker\.io\/library\/kept@sha256:/),
    ]);
    const canonical = names[1]!;
    expect(JSON.parse(await cli(['inspect', '--json', `docker://${canonical}`], { cwd })).manifest.annotations).toEqual(
      { a: '1' },
    );
    const digest = canonical.split('@')[1];
    expect(listed.find(({ name }) => name === canonical)).toMatchObject({ digest });
    expect((await json('meta.json'))['image.name'].split(',')).toEqual([
      `${repository}:gzip`,
      canonical,
      names[2],
      `${repository}:plain`,
    ]);
    const { code, stderr } = await runCli(['inspect', `docker://${repository}`], { cwd });
    expect([code, stderr]).toEqual([1, expect.stringContaining('[REFERENCE_NOT_FOUND]')]);
  });

  it('leave nothing in the list of the store that nobody wants there', async () => {
    for (const output of ['type=cacheonly', 'type=image,store=false', 'type=image,name=x,store=false']) {
      await build('-t', 'app', '-o', output);
      expect(JSON.parse(await cli(['images', '--json'], { cwd }))).toEqual([]);
    }
    expect((await build('-t', 'app', '-o', 'out')).stderr).toContain('CACHED');
    expect(await cli(['images'], { cwd })).toContain('app');
  });

  it('agree on the times of files', async () => {
    await build(...layout('early', ',source-date-epoch=86400'));
    const { config } = await manifestOf('early');
    const { created, history } = await blob('early', config.digest);
    expect([created, history.at(-1).created]).toEqual(['1970-01-02T00:00:00Z', '1970-01-02T00:00:00Z']);
    const epoch = ['--build-arg', 'SOURCE_DATE_EPOCH=86400'];
    await build(...epoch, ...layout('argument'));
    expect((await digestsOf('argument'))[0]).toBe((await digestsOf('early'))[0]);
    await build(...epoch, ...layout('none', ',source-date-epoch='));
    await build(...layout('default'));
    expect((await digestsOf('none'))[0]).toBe((await digestsOf('default'))[0]);
    await build(...layout('kept', ',rewrite-timestamp=false'));
    await build('--timestamps', 'keep', ...layout('kept-too'));
    expect((await digestsOf('kept'))[0]).toBe((await digestsOf('kept-too'))[0]);
    expect((await digestsOf('kept'))[0]).not.toBe((await digestsOf('default'))[0]);
  });
});

describe('a layout', () => {
  it('comes from type=docker too', async () => {
    await build('-t', 'app:2', '-o', 'type=docker,dest=docker,tar=false', ...layout('oci'));
    expect(await digestsOf('docker')).toEqual(await digestsOf('oci'));
    expect(await readdir(join(cwd, 'docker'))).toEqual(['blobs', 'index.json', 'oci-layout']);
  });

  it('has an index for one platform with BUILDKIT_MULTI_PLATFORM', async () => {
    await build('--build-arg', 'BUILDKIT_MULTI_PLATFORM=1', ...layout('one', ',annotation-index.a=1'), '-o', 'out');
    const index = await manifestOf('one');
    expect([index.manifests.length, index.annotations]).toEqual([1, { a: '1' }]);
    expect(await readdir(join(cwd, 'out'))).toEqual(['linux_amd64']);
  });
});

describe('files', () => {
  it('of several platforms lie in folders, or in one where none is twice', async () => {
    await build(...twoPlatforms, '-o', 'out', '-o', 'type=tar,dest=out.tar');
    expect((await readdir(join(cwd, 'out'), { recursive: true })).sort()).toEqual([
      ...['linux_amd64', 'linux_amd64/arch-amd64', 'linux_amd64/bin', 'linux_amd64/bin/run'],
      ...['linux_arm64', 'linux_arm64/arch-arm64', 'linux_arm64/bin', 'linux_arm64/bin/run'],
    ]);
    const { code, stderr } = await runCli(
      ['build', ...twoPlatforms, '-o', 'type=local,dest=one,platform-split=false', 'app'],
      { cwd },
    );
    expect([code, stderr]).toEqual([1, expect.stringMatching(/bin\/run.*linux\/arm64.*\[PATH_INVALID\]/)]);
    await writeFile(join(cwd, 'app', 'Dockerfile'), 'FROM scratch\nARG TARGETARCH\nCOPY run /bin/run-$TARGETARCH\n');
    await build(...twoPlatforms, '-o', 'type=local,dest=merged,platform-split=false');
    expect((await readdir(join(cwd, 'merged', 'bin'))).sort()).toEqual(['run-amd64', 'run-arm64']);
    await build('-o', 'type=local,dest=split,platform-split=true');
    expect(await readdir(join(cwd, 'split'))).toEqual(['linux_amd64']);
  });

  it('have the time that the output says', async () => {
    await build('-o', 'type=local,dest=out,source-date-epoch=86400');
    for (const path of ['bin', 'bin/run']) expect((await stat(join(cwd, 'out', path))).mtimeMs).toBe(86_400_000);
  });

  it('replace what is there, and leave the rest or delete it', async () => {
    await mkdir(join(cwd, 'out', 'bin', 'run'), { recursive: true });
    await mkdir(join(cwd, 'precious'));
    await writeFile(join(cwd, 'precious', 'file'), '');
    await writeFile(join(cwd, 'out', 'other'), 'other');
    await symlink(join(cwd, 'precious'), join(cwd, 'out', 'link'));
    await build('-o', 'out');
    expect(lstatSync(join(cwd, 'out', 'bin', 'run')).isFile()).toBe(true);
    expect(await readFile(join(cwd, 'out', 'other'), 'utf8')).toBe('other');
    await build('-o', 'type=local,dest=out,mode=delete');
    expect((await readdir(join(cwd, 'out'))).sort()).toEqual(['arch-amd64', 'bin']);
    expect(await readdir(join(cwd, 'precious'))).toEqual(['file']);
  });

  it('are deleted outside the current folder only when that is allowed', async () => {
    await mkdir(join(cwd, 'below'));
    await mkdir(join(cwd, 'target'));
    await symlink(join(cwd, 'target'), join(cwd, 'below', 'link'));
    await writeFile(join(cwd, 'target', 'precious'), '');
    const here = { cwd: join(cwd, 'below') };
    for (const dest of ['.', '..', '../target', join(cwd, 'target'), 'link', 'link/new']) {
      const args = ['build', '-o', `type=local,dest=${dest},mode=delete`, '../app'];
      expect(await runCli(args, here), dest).toMatchObject({ code: 2, stdout: '' });
    }
    expect(await readdir(join(cwd, 'target'))).toEqual(['precious']);
    const allowed = ['--allow', 'network.host,buildx.local.delete', '-o', 'type=local,dest=../target,mode=delete'];
    expect(await runCli(['build', ...allowed, '../app'], here)).toMatchObject({ code: 0 });
    expect((await readdir(join(cwd, 'target'))).sort()).toEqual(['arch-amd64', 'bin']);
    expect(await refused('--allow', 'everything')).toBe('USAGE');
  });

  it('never go where the store is', async () => {
    const { code, stderr } = await runCli(['build', '-o', 'type=local,dest=a,mode=delete', '--root', 'a/b', 'app'], {
      cwd,
    });
    expect([code, stderr]).toEqual([2, expect.stringContaining('[USAGE]')]);
  });
});

describe('provenance', () => {
  const provenance = ['--provenance', 'mode=max', '--build-arg', 'NPM_TOKEN=very secret', '--label', 'owner=me'];

  it('stands in the index beside each image', async () => {
    await build('-t', 'me/app:1', ...twoPlatforms, ...provenance, ...layout('out'));
    const { manifests } = await manifestOf('out');
    expect(manifests).toHaveLength(4);
    for (const [i, architecture] of ['amd64', 'arm64'].entries()) {
      const [image, about] = [manifests[i], manifests[i + 2]];
      expect(about).toMatchObject({
        platform: { os: 'unknown', architecture: 'unknown' },
        annotations: {
          'vnd.docker.reference.type': 'attestation-manifest',
          'vnd.docker.reference.digest': image.digest,
        },
      });
      const { layers, subject } = await blob('out', about.digest);
      expect(subject.digest).toBe(image.digest);
      const statement = await blob('out', layers[0].digest);
      expect(statement.subject).toEqual([
        { name: `pkg:docker/me/app@1?platform=linux%2F${architecture}`, digest: { sha256: image.digest.slice(7) } },
      ]);
      expect(JSON.stringify(statement)).not.toContain('very secret');
      if (i === 0) expectGolden('provenance/built.json', stable(`${JSON.stringify(statement, undefined, 2)}\n`));
    }
    await digestsOf('out');
    expect(await cli(['fsck'], { cwd })).toBeDefined();
  });

  it('is the same in every build of the same', async () => {
    await build('-t', 'me/app:1', ...provenance, ...layout('first'));
    await cli(
      ['build', '--root', 'second', '--no-cache', '-t', 'me/app:1', ...provenance, ...layout('second'), 'app'],
      { cwd },
    );
    expect(await digestsOf('first')).toEqual(await digestsOf('second'));
  });

  it('is passed over where an image is wanted, and shown where an index is', async () => {
    const { host } = await startRegistry();
    const name = `${host}/app:1`;
    await build('-t', name, '--push', '--attest', 'type=provenance,version=v0.2', '-o', 'type=docker,dest=docker.tar');
    expect(await cli(['inspect', name], { cwd })).toMatch(
      /^Platforms: +linux\/amd64\nAttestations: +https:\/\/slsa.dev\/provenance\/v0.2$/m,
    );
    expect(await cli(['history', name], { cwd })).toContain('COPY');
    const second = { cwd, env: { LADING_ROOT: join(cwd, 'second') } };
    await cli(['pull', '-q', name], second);
    expect(JSON.parse(await cli(['inspect', '--json', name], second))).not.toHaveProperty('index');
    await cli(['pull', '-q', '--all-platforms', name], second);
    expect(await cli(['inspect', '--verify', name], second)).toContain('provenance/v0.2');
    await cli(['save', '-o', 'saved.tar', name], second);
    for (const archive of ['docker.tar', 'saved.tar']) {
      expect(await cli(['inspect', '--verify', `docker-archive:${archive}`], { cwd })).toContain('linux/amd64');
    }
    await writeFile(join(cwd, 'app', 'Dockerfile'), `FROM ${name}\nCOPY run /second\n`);
    expect((await build('-t', 'child', '--metadata-file', 'meta.json')).stderr).not.toContain('warning');
    const { materials } = (await json('meta.json'))['buildx.build.provenance'];
    expect(materials).toEqual([
      { uri: `pkg:docker/${host}/app@1?platform=linux%2Famd64`, digest: { sha256: expect.any(String) } },
    ]);
  });

  it('is a file beside files', async () => {
    await build(
      ...provenance,
      '-o',
      'out',
      '-o',
      'type=local,dest=named,attestation-prefix=a-',
      '-o',
      'type=tar,dest=out.tar',
    );
    const statement = await json('out/provenance.json');
    expect(statement.subject.map(({ name }: { name: string }) => name)).toEqual(['arch-amd64', 'bin/run']);
    expect(await json('named/a-provenance.json')).toEqual(statement);
    await build(...twoPlatforms, '--provenance', 'filename=p.json', '-o', 'split');
    expect((await json('split/linux_arm64/p.json')).subject.map(({ name }: { name: string }) => name)).toContain(
      'arch-arm64',
    );
    await writeFile(join(cwd, 'app', 'Dockerfile'), 'FROM scratch\nARG TARGETARCH\nCOPY run /bin/run-$TARGETARCH\n');
    await build(...twoPlatforms, '--provenance', 'true', '-o', 'type=local,dest=merged,platform-split=false');
    expect((await readdir(join(cwd, 'merged'))).sort()).toEqual([
      'bin',
      'provenance.linux_amd64.json',
      'provenance.linux_arm64.json',
    ]);
    await build(
      '--provenance',
      'inline-only=true',
      '-o',
      'bare',
      ...layout('oci'),
      ...layout('inline', ',attestation-inline=true'),
    );
    expect(await readdir(join(cwd, 'bare'))).toEqual(['bin']);
    expect([(await manifestOf('oci')).manifests, (await manifestOf('inline')).manifests]).toEqual([
      undefined,
      expect.any(Array),
    ]);
  });

  it.each([
    [['--provenance=false', '--sbom=false']],
    [['--attest', 'type=provenance,disabled=true', '--attest', 'type=sbom,disabled=true']],
    [[]],
  ])('is not there with %j', async args => {
    await build(...args, ...layout('out'));
    expect((await entryOf('out')).mediaType).toBe('application/vnd.oci.image.manifest.v1+json');
  });
});

describe('--metadata-file', () => {
  const meta = async (env: Record<string, string>, ...args: string[]) => {
    const result = await runCli(['build', '--metadata-file', 'meta.json', ...args, 'app'], { cwd, env });
    expect(result.code, result.stderr).toBe(0);
    return await readFile(join(cwd, 'meta.json'), 'utf8');
  };

  beforeEach(async () => {
    await writeFile(join(cwd, 'app', 'Dockerfile'), 'from scratch AS base\nCOPY run /bin/run\n');
  });

  it('is what buildx writes', async () => {
    expectGolden('metadata/single.json', stable(await meta({}, '-t', 'app:1')));
    expectGolden('metadata/platforms.json', stable(await meta({}, '-t', 'app:1', ...twoPlatforms)));
    expectGolden(
      'metadata/warnings.json',
      stable(await meta({ BUILDX_METADATA_WARNINGS: '1', BUILDX_METADATA_PROVENANCE: 'disabled' })),
    );
    expectGolden(
      'metadata/max.json',
      stable(await meta({ BUILDX_METADATA_PROVENANCE: 'max' }, '--provenance=mode=min')),
    );
  });
});

describe('scripts for other builders', () => {
  it('run as they are where what they ask for happens anyway', async () => {
    const { stdout } = await build('-t', 'app');
    const flags = [
      ...['--rm', '--rm=true', '--force-rm', '--force-rm=false', '--compress', '--layers', '--layers=true', '--stream'],
      ...[
        '--squash=false',
        '--disable-content-trust',
        '--isolation=default',
        '--network',
        'default',
        '--builder',
        'mine',
      ],
      ...['--memory=0', '--shm-size', '0', '--sbom=false', '--provenance=false', '--allow', 'security.insecure'],
      ...['--policy', 'disabled=true', '--pull=false', '--no-cache=false', '--push=false', '--progress', 'plain'],
    ];
    expect((await build('-t', 'app', ...flags)).stdout).toBe(stdout);
  });

  it('are told where the image is that they want to load', async () => {
    const { stderr } = await build('-t', 'app', '--load');
    expect(stderr).toMatch(/^note: .*docker load$/m);
    expect((await build('-q', '-t', 'app', '--load')).stderr).toBe('');
    expect(await refused('--load', '-o', 'type=cacheonly')).toBe('USAGE');
  });

  it('take platforms and progress from the environment', async () => {
    const run = (env: Record<string, string>, ...args: string[]) => runCli(['build', ...args, 'app'], { cwd, env });
    expect((await run({ DOCKER_DEFAULT_PLATFORM: 'linux/arm64' })).stderr).toContain('for linux/arm64');
    const platform = ['--platform', 'linux/amd64'];
    expect((await run({ DOCKER_DEFAULT_PLATFORM: 'linux/arm64' }, ...platform)).stderr).toContain('for linux/amd64');
    expect((await run({ BUILDKIT_PROGRESS: 'rawjson' })).stderr).toMatch(/^\{/);
    expect((await run({ BUILDKIT_PROGRESS: 'rawjson' }, '--progress', 'plain')).stderr).toMatch(/^#1 /m);
    expect(await run({ BUILDKIT_PROGRESS: 'quiet' }, '-t', 'app')).toMatchObject({
      stderr: '',
      stdout: expect.stringMatching(/^sha256:/),
    });
    expect(await run({ BUILDKIT_PROGRESS: 'fancy' })).toMatchObject({ code: 2 });
    expect((await run({}, '--progress', 'tty')).stderr).toContain('[2/2]');
    expect(await run({}, '--progress', 'none', '-t', 'app')).toMatchObject({
      stderr: '',
      stdout: expect.stringMatching(/^app:latest@/),
    });
  });

  it('find no result of an earlier build after one that failed', async () => {
    await build('--iidfile', 'id');
    await writeFile(join(cwd, 'app', 'Dockerfile'), 'FROM scratch\nCOPY missing /\n');
    expect((await runCli(['build', '--iidfile', 'id', 'app'], { cwd })).code).toBe(1);
    await expect(stat(join(cwd, 'id'))).rejects.toThrow('ENOENT');
  });

  it.each([
    ['--iidfile', 'none/id', 'IO'],
    ['--metadata-file', 'app/run/m.json', 'IO'],
    ['--metadata-file', 'app', 'IO'],
    ['-o', 'type=oci,dest=app', 'PATH_INVALID'],
    ['-o', 'type=tar,dest=app', 'PATH_INVALID'],
  ])('are told before the build what cannot be written: %s %s', async (option, place, code) => {
    const { stderr } = await runCli(['build', option, place, 'app'], { cwd });
    expect(stderr).toContain(`[${code}]\nhint: `);
    expect(stderr).not.toContain('#1');
    expect(await cli(['images', '-q'], { cwd })).toBe('');
  });

  it.runIf(process.platform === 'linux')('are told where no folder can be made', async () => {
    for (const args of [
      ['--root', '/proc/none'],
      ['-o', 'type=tar,dest=/proc/none/a.tar'],
      ['-o', '/proc/none'],
    ]) {
      const { code, stderr } = await runCli(['build', ...args, 'app'], { cwd });
      expect([code, stderr]).toEqual([1, expect.stringContaining('[IO]')]);
    }
  });

  it('find archives in folders that are made for them', async () => {
    await build(...['oci', 'docker', 'tar'].flatMap(type => ['-o', `type=${type},dest=new/${type}/a.tar`]));
    for (const type of ['oci', 'docker', 'tar']) expect(await readdir(join(cwd, 'new', type))).toEqual(['a.tar']);
  });
});
