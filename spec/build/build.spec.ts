import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BuildImageEvent } from '../../src/api/build-image.js';
import { type ErrorCode, isLadingError, type LadingError } from '../../src/errors/errors.js';
import { refusingSandbox } from '../../src/sandbox/sandbox.js';
import { openStore } from '../../src/store/store.js';
import { built, host, writeFiles } from '../support/building.js';

let folder: string;
let context: string;
let root: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lading-build-'));
  context = join(folder, 'context');
  root = join(folder, 'store');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function failure<C extends ErrorCode>(code: C, work: () => Promise<unknown>): Promise<LadingError<C>> {
  const error = await work().then(
    () => undefined,
    thrown => thrown as unknown,
  );
  if (!isLadingError(error, code)) throw error ?? new Error(`nothing failed, ${code} expected`);
  return error;
}

/** Every file of the store with its time of change: what a build wrote shows here. */
function snapshot(): Map<string, number> {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' });
  const files = names.filter(name => statSync(join(root, name)).isFile() && !name.startsWith('locks'));
  return new Map(files.map(name => [name, statSync(join(root, name)).size]));
}

describe('build', () => {
  it('turns stages into layers, configuration and history', async () => {
    writeFiles(context, {
      Dockerfile: `ARG VERSION=1
FROM scratch AS files
WORKDIR /data
COPY --chown=7:8 a sub/ ./
FROM scratch
ARG VERSION
ENV V=$VERSION
COPY --from=files /data /app
COPY <<EOF /etc/motd
version \${VERSION}
EOF
LABEL what="a b"
EXPOSE 80 53/udp
VOLUME /v
USER 7
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s CMD true
ENTRYPOINT ["/app/a"]
CMD ["--help"]
`,
      a: 'aa',
      'sub/b': 'b',
      'sub/link': '-> b',
    });
    const { config, files, images } = await built(root, context, { labels: { extra: '1' } });
    expect(images).toHaveLength(1);
    expect(files).toEqual([
      'app directory 755 0:0',
      'app/a file 644 7:8 2',
      'app/b file 644 7:8 1',
      'app/link symlink 777 7:8 -> b',
      'etc directory 755 0:0',
      'etc/motd file 644 0:0 10',
    ]);
    expect(config).toMatchObject({ os: 'linux', architecture: 'amd64', created: '2000-01-01T00:00:00Z' });
    expect(config.config).toMatchObject({
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'V=1'],
      Labels: { what: 'a b', extra: '1' },
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      User: '7',
      Entrypoint: ['/app/a'],
      Cmd: ['--help'],
    });
    expect(config.history?.map(entry => entry.created_by)).toEqual([
      'ARG VERSION=1',
      'ENV V=1',
      'COPY /data /app # buildkit',
      'COPY <<EOF /etc/motd # buildkit',
      'LABEL what=a b',
      'EXPOSE [53/udp 80/tcp]',
      'VOLUME [/v]',
      'USER 7',
      'STOPSIGNAL SIGTERM',
      expect.stringMatching(/^HEALTHCHECK /),
      'ENTRYPOINT ["/app/a"]',
      'CMD ["--help"]',
    ]);
    expect(config.history?.every(entry => entry.created === '2000-01-01T00:00:00Z')).toBe(true);
  });

  it('gives the same digest from another place, at another time, and without the cache', async () => {
    const files = { Dockerfile: 'FROM scratch\nWORKDIR /w\nCOPY . .\n', a: 'a', 'd/b': 'b', 'd/c': 'c' };
    const one = await built(root, writeFiles(context, files));
    const other = writeFiles(join(folder, 'elsewhere'), Object.fromEntries(Object.entries(files).reverse()));
    for (const name of ['a', 'd/b', 'd']) utimesSync(join(other, name), 1, 1_700_000_000);
    const two = await built(join(folder, 'store-2'), other);
    const three = await built(root, context, { noCache: true });
    expect(two.descriptor.digest).toBe(one.descriptor.digest);
    expect(three.descriptor.digest).toBe(one.descriptor.digest);
  });

  it('keeps times before the epoch, clamps later ones, and keeps all of them when asked to', async () => {
    writeFiles(context, { Dockerfile: 'FROM scratch\nCOPY a b /\n', a: '', b: '' });
    utimesSync(join(context, 'a'), 1, 500_000_000);
    utimesSync(join(context, 'b'), 1, 1_600_000_000);
    const times = async (options: object): Promise<number[]> => {
      const store = await openStore(root);
      const result = await built(root, context, { store, ...options });
      const diffId = result.config.rootfs.diff_ids[0]!;
      const { openImage } = await import('../../src/image/image.js');
      const image = await openImage(store, result.descriptor);
      const index = await store.layerIndex({ diffId, blob: image.layers[0]!.descriptor });
      await store.close();
      return index.entries.map(entry => ('mtime' in entry ? entry.mtime : -1));
    };
    expect(await times({})).toEqual([500_000_000, 946_684_800]);
    expect(await times({ buildArgs: { SOURCE_DATE_EPOCH: '1000000000' } })).toEqual([500_000_000, 1_000_000_000]);
    expect(await times({ timestamps: 'keep' })).toEqual([500_000_000, 1_600_000_000]);
  });

  it('writes nothing when nothing has changed', async () => {
    writeFiles(context, { Dockerfile: 'FROM scratch\nWORKDIR /w\nCOPY . .\nCMD ["x"]\n', a: 'a' });
    // What has changed just now may change again unseen: nothing is noted of it.
    await new Promise(resolve => setTimeout(resolve, 200));
    await built(root, context, { tags: ['app:1'] });
    const before = snapshot();
    const events: BuildImageEvent[] = [];
    await built(root, context, { tags: ['app:1'], onEvent: event => events.push(event) });
    expect(snapshot()).toEqual(before);
    const layers = events.flatMap(event => (event.kind === 'step-done' && event.layer ? [event.cached] : []));
    expect(layers).toEqual([true, true]);
  });

  it('packs only what a change reaches', async () => {
    writeFiles(context, { Dockerfile: 'FROM scratch\nCOPY a /a\nCOPY b /b\n', a: 'a', b: 'b' });
    await built(root, context);
    writeFiles(context, { b: 'changed' });
    const events: BuildImageEvent[] = [];
    await built(root, context, { onEvent: event => events.push(event) });
    expect(events.flatMap(event => (event.kind === 'step-done' ? [event.cached] : []))).toEqual([true, false]);
  });

  it('builds only the stages that the target needs', async () => {
    writeFiles(context, {
      Dockerfile: `FROM scratch AS one
COPY a /
FROM no.such.registry.invalid/x AS never
RUN false
FROM scratch AS two
COPY --from=one /a /b
FROM never AS last
`,
      a: 'a',
    });
    const { files } = await built(root, context, { target: 'TWO' });
    expect(files).toEqual(['b file 644 0:0 1']);
  });

  it('makes an index for several platforms', async () => {
    writeFiles(context, { Dockerfile: 'FROM scratch\nARG TARGETARCH\nENV A=$TARGETARCH\nCOPY a /\n', a: 'a' });
    const { images, descriptor } = await built(root, context, {
      platforms: ['linux/amd64', 'linux/arm64/v8', 'linux/arm64'],
    });
    expect(images.map(image => image.platform.architecture)).toEqual(['amd64', 'arm64']);
    expect(descriptor.mediaType).toContain('index');
  });

  it('takes FROM and COPY --from out of named contexts', async () => {
    const layout = join(folder, 'layout');
    writeFiles(join(folder, 'base'), { Dockerfile: 'FROM scratch\nCOPY f /f\nENV X=y\n', f: 'f' });
    await built(root, join(folder, 'base'), { outputs: [{ type: 'oci', tar: false, dest: layout }] });
    writeFiles(join(folder, 'more'), { g: 'g', hidden: '', '.dockerignore': 'hidden\n.dockerignore\n' });
    writeFiles(context, { Dockerfile: 'FROM some/base\nCOPY --from=extra . /extra\nCOPY --from=alias /f /again\n' });
    const { files, config } = await built(join(folder, 'store-2'), context, {
      buildContexts: { 'some/base': `oci-layout://${layout}`, extra: '../more', alias: `oci-layout://${layout}` },
    });
    expect(files).toEqual([
      'again file 644 0:0 1',
      'extra directory 755 0:0',
      'extra/g file 644 0:0 1',
      'f file 644 0:0 1',
    ]);
    expect(config.config?.Env).toContain('X=y');
  });

  it('warns of a base of another platform, and takes it', async () => {
    writeFiles(join(folder, 'base'), { Dockerfile: 'FROM scratch\nCOPY f /f\n', f: 'f' });
    await built(root, join(folder, 'base'), { platforms: ['linux/arm64'], tags: ['other:1'] });
    writeFiles(context, { Dockerfile: 'FROM other:1\nLABEL a=b\n' });
    const rules: string[] = [];
    const { config } = await built(root, context, {
      onEvent: event => event.kind === 'diagnostic' && rules.push(event.diagnostic.rule),
    });
    expect(config.architecture).toBe('arm64');
    expect(rules).toEqual(['InvalidBaseImagePlatform']);
  });

  it('leaves out of FROM a folder what its ignore file hides', async () => {
    writeFiles(context, { 'base/f': '1', 'base/hidden': '2', 'base/.dockerignore': 'hidden\n.dockerignore' });
    const options = { buildContexts: { base: 'base' }, dockerfileText: 'FROM base\n' };
    expect((await built(root, context, options)).files).toEqual(['f file 644 0:0 1']);
  });

  it('runs the triggers of its base, once', async () => {
    writeFiles(join(folder, 'base'), { Dockerfile: 'FROM scratch\nONBUILD COPY t /t\n' });
    const store = await openStore(root);
    await built(root, join(folder, 'base'), { store, tags: ['base:1'] });
    writeFiles(context, { Dockerfile: 'FROM base:1\n', t: 't' });
    const child = await built(root, context, { store, tags: ['child:1'] });
    expect(child.files).toEqual(['t file 644 0:0 1']);
    expect(child.config.config?.OnBuild ?? []).toEqual([]);
    await store.close();
  });
});

describe('bad input', () => {
  it('says where the Dockerfile is wrong and what was meant', async () => {
    writeFiles(context, { Dockerfile: 'FROM scratch\n\nCOPPY a /a\n' });
    const error = await failure('DOCKERFILE_SYNTAX', () => built(root, context));
    expect(error.details.range.start.line).toBe(3);
    expect(error.hint).toContain('COPY');
    expect(error.place?.excerpt ?? error.details.excerpt).toContain('COPPY a /a');
  });

  it('says which source is missing, and whether .dockerignore hides it', async () => {
    writeFiles(context, {
      Dockerfile: 'FROM scratch\nCOPY a hidden /\n',
      a: '',
      hidden: '',
      '.dockerignore': '*\n!a\n',
    });
    const error = await failure('SOURCE_NOT_FOUND', () => built(root, context));
    expect(error.details).toMatchObject({ pattern: 'hidden', ignoredBy: '*' });
    expect(error.place?.range.start.line).toBe(2);
    writeFiles(context, { '.dockerignore': '', Dockerfile: 'FROM scratch\nCOPY nope /\n' });
    const other = await failure('SOURCE_NOT_FOUND', () => built(root, context));
    expect(other.details.ignoredBy).toBeUndefined();
  });

  it('refuses RUN before anything is built, naming the line', async () => {
    writeFiles(context, { Dockerfile: 'FROM scratch\nCOPY a /\nRUN true\n', a: '' });
    const events: BuildImageEvent[] = [];
    const error = await failure('RUN_UNAVAILABLE', () =>
      built(root, context, { sandbox: refusingSandbox('nothing'), onEvent: event => events.push(event) }),
    );
    expect(error.place?.range.start.line).toBe(3);
    expect(error.place?.excerpt).toContain('RUN true');
    expect(events.some(event => event.kind === 'step-started')).toBe(false);
  });

  it('keeps nothing of a build that is cancelled', async () => {
    writeFiles(context, { Dockerfile: 'FROM scratch\nCOPY a /\nCOPY b /\n', a: 'a', b: 'b' });
    const abort = new AbortController();
    const work = built(root, context, {
      signal: abort.signal,
      onEvent: event => event.kind === 'step-done' && abort.abort(new Error('enough')),
    });
    await expect(work).rejects.toThrow('enough');
    const store = await openStore(root);
    expect(await store.images()).toEqual([]);
    expect((await store.check()).problems).toEqual([]);
    await store.close();
  });

  it('refuses what it cannot do with a way out', async () => {
    const cases: Array<[string, ErrorCode]> = [
      ['FROM scratch\nADD https://example.com/x /\n', 'REMOTE_FILE'],
      ['FROM scratch\nCOPY --link --chown=app a /\n', 'INVALID_VALUE'],
      ['FROM scratch\nCOPY --chmod=9 a /\n', 'INVALID_VALUE'],
      ['FROM not-in-the-store:1\n', 'REFERENCE_NOT_FOUND'],
      ['FROM scratch AS first\nCOPY --from=later /a /\nFROM scratch AS later\n', 'DOCKERFILE_SYNTAX'],
    ];
    for (const [text, code] of cases) {
      writeFiles(context, { Dockerfile: text, a: '' });
      const error = await failure(code, () => built(root, context, text.includes('later') ? { target: 'first' } : {}));
      expect(error.message, text).not.toBe('');
    }
    writeFiles(context, { Dockerfile: 'FROM scratch\n' });
    const error = await failure('STAGE_UNKNOWN', () => built(root, context, { target: 'x' }));
    expect(error.details.name).toBe('x');
    expect(existsSync(join(context, 'Dockerfile'))).toBe(true);
  });

  it('leaves other images alone and builds for the host by default', async () => {
    writeFiles(context, { Dockerfile: 'FROM scratch\nCOPY . /\n', x: '1' });
    const one = await built(root, context, { tags: ['a:1'] });
    writeFiles(context, { x: '2' });
    await built(root, context, { tags: ['a:2'] });
    const store = await openStore(root);
    expect((await store.resolve('a:1')).digest).toBe(one.descriptor.digest);
    expect(one.images[0]?.platform).toEqual(host);
    await store.close();
    expect(readFileSync(join(root, 'oci-layout'), 'utf8')).toContain('1.0.0');
  });
});
