import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { cli, runCli } from '../support/run-cli.js';
import { tempDir } from '../support/temp-dir.js';

let cwd: string;

beforeEach(async () => {
  cwd = await tempDir();
  await mkdir(join(cwd, 'app'));
  await writeFile(
    join(cwd, 'app', 'Dockerfile'),
    'FROM scratch AS Files\nCOPY run /one\nFROM scratch\nCOPY run /two\nCOPY --from=files /one /\n',
  );
  await writeFile(join(cwd, 'app', 'run'), 'run');
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

const twoPlatforms = ['--platform', 'linux/amd64,linux/arm64'];
const layout = ['-o', 'type=oci,dest=layout,tar=false'];

describe('--annotation', () => {
  it('annotates the manifest, and the descriptor that points to it', async () => {
    const annotations = ['--annotation', 'a=1', '--annotation', 'manifest,manifest-descriptor:b=x,y'];
    await build('-t', 'app', ...annotations, ...layout);
    const [entry] = (await json('layout/index.json')).manifests;
    expect(entry.annotations).toEqual({ b: 'x,y', 'org.opencontainers.image.ref.name': 'latest' });
    expect((await blob('layout', entry.digest)).annotations).toEqual({ a: '1', b: 'x,y' });
    await cli(['save', '--format', 'oci', '-o', 'app.tar', 'app'], { cwd });
    await cli(['copy', 'oci-archive:app.tar', 'oci:second:x'], { cwd });
    expect((await json('second/index.json')).manifests[0].annotations).toMatchObject({ b: 'x,y' });
    expect(await cli(['inspect', '--verify', 'app'], { cwd })).toContain('every byte');
  });

  it('annotates an index, and platforms each for itself', async () => {
    const written = ['index:i=1', 'index-descriptor:d=1', 'm=all', 'manifest[linux/arm64]:m=arm'];
    const own = ['manifest-descriptor[linux/arm64]:p=arm'];
    const annotations = [...written, ...own].flatMap(text => ['--annotation', text]);
    await build('-t', 'app', ...twoPlatforms, ...annotations, ...layout);
    const [entry] = (await json('layout/index.json')).manifests;
    expect(entry.annotations).toMatchObject({ d: '1' });
    const index = await blob('layout', entry.digest);
    expect(index.annotations).toEqual({ i: '1' });
    const [amd, arm] = index.manifests;
    expect([amd.annotations, arm.annotations]).toEqual([undefined, { p: 'arm' }]);
    expect((await blob('layout', amd.digest)).annotations).toEqual({ m: 'all' });
    expect((await blob('layout', arm.digest)).annotations).toEqual({ m: 'arm' });
  });

  it('is the same as an attribute of the output', async () => {
    const id = (await build('-q', '--annotation', 'a=1')).stdout;
    expect((await build('-q', '-o', 'type=oci,dest=a.tar,annotation.a=1')).stdout).toBe(id);
    expect((await build('-q')).stdout).not.toBe(id);
  });

  it.each([
    ['index:a=1'],
    ['index-descriptor:a=1'],
    ['manifest[linux/s390x]:a=1'],
    ['manifest[a/b/c/d]:a=1'],
    ['manifests:a=1'],
    ['a'],
  ])('refuses %s for one platform', async text => {
    expect(['USAGE', 'INVALID_VALUE']).toContain(await refused('--annotation', text));
  });
});

describe('--metadata-file', () => {
  it('says what was built', async () => {
    const { stdout } = await build('-q', '-t', 'app:1', '-t', 'other', '--metadata-file', 'meta.json', ...layout);
    const meta = await json('meta.json');
    const digest = stdout.trim();
    const [entry] = (await json('layout/index.json')).manifests;
    expect(meta).toEqual({
      'buildx.build.provenance': expect.objectContaining({ buildType: expect.any(String) }),
      'containerimage.config.digest': (await blob('layout', digest)).config.digest,
      'containerimage.descriptor': {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest,
        size: entry.size,
        platform: { os: 'linux', architecture: 'amd64' },
      },
      'containerimage.digest': digest,
      'image.name': 'docker.io/library/app:1,docker.io/library/other:latest',
    });
  });

  it('has no config of several images, and no name of none', async () => {
    await build(...twoPlatforms, '--metadata-file', 'meta.json');
    expect(Object.keys(await json('meta.json'))).toEqual([
      'buildx.build.provenance/linux/amd64',
      'buildx.build.provenance/linux/arm64',
      'containerimage.descriptor',
      'containerimage.digest',
    ]);
  });

  it('that cannot be written is a failure', async () => {
    const { code, stderr } = await runCli(['build', '--metadata-file', 'no/where', 'app'], { cwd });
    expect(code).toBe(1);
    expect(stderr).toContain('[IO]');
  });
});

describe('--no-cache-filter', () => {
  it('carries the steps of a stage out again', async () => {
    const first = await build('-q');
    expect((await build()).stderr.match(/CACHED/g)).toHaveLength(3);
    const { stderr, stdout } = await build('--no-cache-filter', 'other,FILES');
    expect(stderr.match(/CACHED/g)).toHaveLength(2);
    expect(stderr).toContain('No stage is called [other]');
    expect(stdout).toBe(first.stdout);
  });

  it('leaves nothing to do for --no-cache', async () => {
    expect(await refused('--no-cache', '--no-cache-filter', 'files')).toBe('USAGE');
  });
});

describe('--output', () => {
  it('says how the image is compressed', async () => {
    await build('-o', 'type=oci,dest=layout,tar=false,compression=uncompressed');
    const [entry] = (await json('layout/index.json')).manifests;
    const { layers } = await blob('layout', entry.digest);
    expect(layers[0].mediaType).toBe('application/vnd.oci.image.layer.v1.tar');
  });

  it("writes Docker's media types", async () => {
    await build('-t', 'app', '-o', 'type=oci,dest=layout,tar=false,oci-mediatypes=false', ...twoPlatforms);
    const [entry] = (await json('layout/index.json')).manifests;
    expect(entry.mediaType).toBe('application/vnd.docker.distribution.manifest.list.v2+json');
    const { manifests } = await blob('layout', entry.digest);
    const { mediaType, config, layers } = await blob('layout', manifests[0].digest);
    expect([mediaType, config.mediaType, layers[0].mediaType]).toEqual([
      'application/vnd.docker.distribution.manifest.v2+json',
      'application/vnd.docker.container.image.v1+json',
      'application/vnd.docker.image.rootfs.diff.tar.gzip',
    ]);
    expect(await cli(['inspect', '--verify', 'app'], { cwd })).toContain('every byte');
  });

  it('has names of its own', async () => {
    await build('-t', 'app', '-o', 'type=oci,dest=layout,tar=false,"name=a:1,b:2"', '-o', 'type=image,name=third');
    const names = (await json('layout/index.json')).manifests.map(
      (entry: { annotations: Record<string, string> }) => entry.annotations['org.opencontainers.image.ref.name'],
    );
    expect(names.sort()).toEqual(['1', '2']);
    expect(await cli(['images'], { cwd })).toContain('third');
  });

  it.each([
    [['-o', 'type=oci,dest=a,rewrite-timestamp=false', '-o', 'type=docker,dest=b']],
    [['-t', 'a', '-o', 'type=image', '-o', 'type=image,compression=uncompressed']],
    [['-o', 'type=oci,dest=a', '-o', 'type=docker,dest=a']],
    [['-o', '-', '-o', 'type=oci']],
    [['-o', 'type=registry']],
    [['-o', 'type=image,name=BAD']],
    [['-o', 'type=image,unpack=true']],
  ])('refuses %j', async args => {
    expect(['USAGE', 'INVALID_VALUE']).toContain(await refused(...args));
  });

  it('refuses an archive of Docker for several platforms before anything is built', async () => {
    const args = ['build', ...twoPlatforms, '-o', 'type=docker,dest=a.tar', 'app'];
    const { code, stderr } = await runCli(args, { cwd });
    expect(code).toBe(1);
    expect(stderr).toContain('[UNSUPPORTED]');
    expect(stderr).not.toContain('COPY');
  });
});

describe('what docker build and docker buildx build take', () => {
  const known = [
    ...['annotation', 'build-arg', 'build-context', 'call', 'check', 'file', 'iidfile', 'label', 'metadata-file'],
    ...[
      'no-cache',
      'no-cache-filter',
      'output',
      'platform',
      'progress',
      'pull',
      'push',
      'quiet',
      ...['allow', 'attest', 'load', 'provenance'],
      ...['add-host', 'network', 'shm-size', 'ssh', 'strict-ownership', 'ulimit'],
      'secret',
      'tag',
      'target',
      'debug',
    ],
  ];
  const foreign = [
    ...['cache-from', 'cache-to', 'cgroup-parent', 'cpu-period', 'cpu-quota', 'cpu-shares', 'cpuset-cpus'],
    ...['cpuset-mems', 'disable-content-trust', 'isolation', 'layers', 'memory', 'memory-swap', 'policy'],
    ...['print', 'resource', 'rm', 'sbom', 'security-opt', 'squash', 'volume'],
  ];

  it.each(known)('--%s is there', async name => {
    expect(await cli(['build', '--help'], { cwd })).toMatch(new RegExp(`--${name} `));
  });

  it.each(foreign)('--%s is refused with a way out', async name => {
    const { code, stderr } = await runCli(['build', `--${name}=x`, 'app'], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain('[UNSUPPORTED]');
    expect(stderr).toMatch(/^hint: ./m);
  });
});
