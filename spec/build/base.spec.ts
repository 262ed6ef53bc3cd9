import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BuildImageOptions } from '../../src/api/build-image.js';
import { openImage } from '../../src/image/image.js';
import { assembleImage } from '../../src/image/mutate.js';
import type { HistoryEntry } from '../../src/oci/config.js';
import { openStore, type Store } from '../../src/store/store.js';
import { type Built, built, writeFiles } from '../support/building.js';

let folder: string;
let context: string;
let store: Store;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lading-base-'));
  context = writeFiles(join(folder, 'context'), { a: 'a', b: 'b' });
  store = await openStore(join(folder, 'store'));
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const build = (dockerfileText: string, options: Partial<BuildImageOptions> = {}): Promise<Built> =>
  built('', context, { store, dockerfileText, ...options });

describe('an image built on another', () => {
  it('has the layers of its base as they are, however its own are compressed', async () => {
    await build('FROM scratch\nCOPY a /\nCOPY b /\n', { tags: ['base'], compression: 'none' });
    const child = await build('FROM base\nCOPY a /c\n');
    const [base, own] = await Promise.all(
      [await store.resolve('base'), child.descriptor].map(descriptor => openImage(store, descriptor)),
    );
    const blobs = own!.layers.map(({ descriptor: { digest, size } }) => ({ digest, size }));
    expect(blobs.slice(0, 2)).toEqual(base!.layers.map(({ descriptor: { digest, size } }) => ({ digest, size })));
    expect(blobs).toHaveLength(3);
  });

  const layer = { created_by: 'made' };
  const empty = { created_by: 'said', empty_layer: true };
  const unknown = { comment: 'buildkit.exporter.image.v0' };

  it.each<[string, HistoryEntry[], HistoryEntry[]]>([
    ['none', [], [unknown, unknown]],
    ['too little', [empty, layer], [empty, layer, unknown]],
    [
      'too much',
      [layer, layer, layer, empty, layer],
      [layer, layer, { ...layer, empty_layer: true }, empty, { ...layer, empty_layer: true }],
    ],
  ])('has a history that counts its layers where its base has %s', async (_, history, reconciled) => {
    const { descriptor, config } = await build('FROM scratch\nCOPY a /\nCOPY b /\n');
    const { layers } = await openImage(store, descriptor);
    const parts = layers.map(({ diffId, descriptor: blob }) => ({ diffId, blob }));
    const base = assembleImage({ config: { ...config, history }, layers: parts });
    for (const [described, bytes] of [
      [base.config, base.configBytes],
      [base.descriptor, base.manifestBytes],
    ] as const) {
      await store.put(
        described,
        (async function* () {
          yield bytes;
        })(),
      );
    }
    await store.tag(base.descriptor, 'base');
    const child = await build('FROM base\nCOPY a /c\nENV x=y\n');
    expect(child.config.history?.slice(0, -2)).toEqual(reconciled);
    expect(child.config.history?.map(entry => entry.created_by).slice(-2)).toEqual(['COPY a /c # buildkit', 'ENV x=y']);
  });

  it('knows names only where its account files are files', async () => {
    await build('FROM scratch\nCOPY a /etc/passwd/\nCOPY a /etc/group/\n', { tags: ['base'] });
    const named = build('FROM base\nCOPY --chown=app a /\n');
    await expect(named).rejects.toMatchObject({ code: 'PATH_INVALID', place: { range: { start: { line: 2 } } } });
    expect((await build('FROM base\nCOPY --chown=1:2 a /\n')).files).toContain('a file 644 1:2 1');
  });

  it('is read as its account files say, through links', async () => {
    const accounts = 'FROM scratch\nCOPY <<EOF /usr/lib/passwd\napp:x:7:8::/:/bin/sh\nEOF\nCOPY link /etc/passwd\n';
    writeFiles(context, { 'link/passwd': '-> /usr/lib/passwd' });
    await build(accounts.replace('link /etc/passwd', 'link /etc'), { tags: ['base'] });
    const { files } = await build('FROM base\nCOPY --chown=app a /\nUSER app\nWORKDIR /made\n');
    expect(files).toContain('a file 644 7:8 1');
    expect(files).toContain('made directory 755 7:8');
  });

  it('is of the platform of its stage; what a stage copies from images is of the platform that is built', async () => {
    const text = 'FROM scratch\nARG TARGETARCH\nCOPY <<EOF /$TARGETARCH\nEOF\n';
    await build(text, { tags: ['multi'], platforms: ['linux/amd64', 'linux/arm64'] });
    const names = async (from: string, options?: Partial<BuildImageOptions>) =>
      (await build(`FROM ${from}\nCOPY --from=multi / /other/\n`, options)).files.map(line => line.split(' ')[0]);
    expect(await names('multi')).toEqual(['amd64', 'other', 'other/amd64']);
    expect(await names('--platform=linux/arm64 multi')).toEqual(['arm64', 'other', 'other/amd64']);
    const options = { platforms: ['linux/arm64'] };
    expect(await names('--platform=$BUILDPLATFORM multi', options)).toEqual(['amd64', 'other', 'other/arm64']);
  });

  it('says that it is of the platform that was asked for, when one was', async () => {
    await build('FROM scratch\n', { tags: ['arm'], platforms: ['linux/arm64'] });
    const platformOf = async (options?: Partial<BuildImageOptions>) =>
      (await build('FROM arm\nLABEL a=b\n', options)).config.architecture;
    expect(await platformOf()).toBe('arm64');
    expect(await platformOf({ platforms: ['linux/amd64'] })).toBe('amd64');
  });

  it('is what the digest says, whatever the tag beside it', async () => {
    const { descriptor } = await build('FROM scratch\nCOPY a /\n', { tags: ['base:1'] });
    await build('FROM scratch\nCOPY b /\n', { tags: ['base:2'] });
    const { files } = await build(`FROM base:2@${descriptor.digest}\nLABEL a=b\n`);
    expect(files).toEqual(['a file 644 0:0 1']);
  });
});
