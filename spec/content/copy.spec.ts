import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type CopyEvent, copyImage } from '../../src/content/copy.js';
import { assembleImage } from '../../src/image/mutate.js';
import { validateImage } from '../../src/image/validate.js';
import type { Descriptor } from '../../src/oci/descriptor.js';
import { digestOf } from '../../src/oci/digest.js';
import { mediaTypes } from '../../src/oci/media-types.js';
import type { Bytes, CallOptions } from '../../src/stream/bytes.js';
import { codeOf } from '../support/content-suite.js';
import { MemoryContent } from '../support/memory-content.js';
import { randomImage, randomIndex } from '../support/random-image.js';

const linux = (architecture: string) => ({ os: 'linux', architecture });
const platforms = ['amd64', 'arm64', 's390x'].map(linux);

/** Counts what is on its way, and can be made to hang or fail at one blob. */
class WatchedTarget extends MemoryContent {
  running = 0;
  most = 0;
  cancelled = 0;
  failAt: string | undefined;
  hangAt: string | undefined;

  override async put(descriptor: Descriptor, content: Bytes, options: CallOptions = {}): Promise<void> {
    this.running += 1;
    this.most = Math.max(this.most, this.running);
    let arrived = false;
    const arrive = (): void => {
      if (!arrived) this.running -= 1;
      arrived = true;
    };
    try {
      await new Promise(resolve => setTimeout(resolve, 2));
      if (descriptor.digest === this.failAt) throw new Error('the target is full');
      if (descriptor.digest === this.hangAt) {
        await new Promise((_, reject) => {
          options.signal?.addEventListener('abort', () => {
            this.cancelled += 1;
            setTimeout(() => reject(options.signal!.reason), 20);
          });
        });
      }
      await super.put(descriptor, toTheEnd(content, arrive), options);
    } finally {
      arrive();
    }
  }
}

async function* toTheEnd(content: Bytes, ended: () => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of content) yield chunk;
  ended();
}

describe('copyImage', () => {
  it('copies leaves first and names last', async () => {
    const source = new MemoryContent();
    const target = new MemoryContent();
    const { descriptor, config, layers } = await randomImage(source, 1, { layers: 3 });
    expect(await copyImage(source, descriptor, target, { name: 'v1' })).toBe(descriptor);
    expect(target.log.slice(0, -2).sort()).toEqual(
      [config.digest, ...layers.map(({ blob }) => blob.digest)].map(digest => `put ${digest}`).sort(),
    );
    expect(target.log.slice(-2)).toEqual([`put ${descriptor.digest}`, 'tag v1']);
    await validateImage(target, descriptor);
  });

  it('sends nothing that is there', async () => {
    const source = new MemoryContent();
    const target = new MemoryContent();
    const { descriptor, layers } = await randomImage(source, 1);
    await target.put(layers[0]!.blob, await source.open(layers[0]!.blob));
    const events: CopyEvent[] = [];
    await copyImage(source, descriptor, target, { onEvent: event => events.push(event) });
    const skipped = events.filter(({ type }) => type === 'blob-skipped');
    expect(skipped).toEqual([{ type: 'blob-skipped', descriptor: layers[0]!.blob, reason: 'exists' }]);
    target.log.length = 0;
    events.length = 0;
    await copyImage(source, descriptor, target, { name: 'again', onEvent: event => events.push(event) });
    expect(target.log).toEqual(['tag again']);
    expect(events).toEqual([{ type: 'manifest-done', descriptor, existed: true }]);
  });

  it('repairs an image whose manifest is there without its layers', async () => {
    const source = new MemoryContent();
    const target = new MemoryContent();
    const { descriptor, layers } = await randomImage(source, 1);
    await copyImage(source, descriptor, target);
    target.blobs.delete(layers[1]!.blob.digest);
    await copyImage(source, descriptor, target);
    await validateImage(target, descriptor);
  });

  it('tells how every blob gets on', async () => {
    const source = new MemoryContent();
    const { descriptor, layers } = await randomImage(source, 1, { layers: 1, layerBytes: 300_000 });
    const events: CopyEvent[] = [];
    await copyImage(source, descriptor, new MemoryContent(), { onEvent: event => events.push(event) });
    const ofLayer = events.filter(event => event.descriptor.digest === layers[0]!.blob.digest);
    expect(ofLayer[0]!.type).toBe('blob-started');
    expect(ofLayer.at(-1)!.type).toBe('blob-done');
    const bytes = ofLayer.flatMap(event => (event.type === 'blob-progress' ? [event.bytes] : []));
    expect(bytes.length).toBeGreaterThan(1);
    expect(bytes).toEqual([...bytes].sort((a, b) => a - b));
    expect(bytes.at(-1)).toBe(layers[0]!.blob.size);
    expect(events.at(-1)).toMatchObject({ type: 'manifest-done', existed: false });
  });

  it('keeps to its concurrency and sends one blob once', async () => {
    const source = new MemoryContent();
    const { descriptor } = await randomIndex(source, 1, platforms, { layers: 4 });
    const target = new WatchedTarget();
    await copyImage(source, descriptor, target, { concurrency: 3 });
    expect(target.most).toBe(3);
    expect(new Set(target.log).size).toBe(target.log.length);
    await validateImage(target, descriptor);
  });

  it('fetches the next blob while those that have come are written out', async () => {
    const source = new MemoryContent();
    const { descriptor } = await randomImage(source, 1, { layers: 4 });
    let come = 0;
    let enough: () => void = () => {};
    const several = new Promise<void>(resolve => {
      enough = resolve;
    });
    class SlowDisk extends MemoryContent {
      override async put(descriptor: Descriptor, content: Bytes, options?: CallOptions): Promise<void> {
        await super.put(descriptor, content, options);
        if (++come >= 4) enough();
        await several;
      }
    }
    await copyImage(source, descriptor, new SlowDisk(), { concurrency: 1 });
    expect(come).toBe(6);
  });

  describe('of an index', () => {
    it('takes one platform as its manifest', async () => {
      const source = new MemoryContent();
      const { descriptor, images } = await randomIndex(source, 1, platforms);
      const target = new MemoryContent();
      const copied = await copyImage(source, descriptor, target, { platforms: [linux('arm64')], name: 'one' });
      expect(copied.digest).toBe(images[1]!.descriptor.digest);
      expect((await target.resolve('one')).digest).toBe(copied.digest);
      expect(target.blobs.size).toBe(4);
    });

    it('takes several as an index of those', async () => {
      const source = new MemoryContent();
      const { descriptor, images } = await randomIndex(source, 1, platforms);
      const target = new MemoryContent();
      const wanted = [linux('s390x'), linux('amd64')];
      const copied = await copyImage(source, descriptor, target, { platforms: wanted, name: 'two' });
      expect(copied).toMatchObject({ mediaType: mediaTypes.index });
      const index = JSON.parse(Buffer.from(target.blobs.get(copied.digest)!).toString());
      expect(index.manifests.map((manifest: Descriptor) => manifest.digest)).toEqual([
        images[2]!.descriptor.digest,
        images[0]!.descriptor.digest,
      ]);
      await validateImage(target, copied);
    });

    it('says when a platform is not there, and copies nothing', async () => {
      const source = new MemoryContent();
      const { descriptor } = await randomIndex(source, 1, platforms);
      const target = new MemoryContent();
      const copying = copyImage(source, descriptor, target, { platforms: [linux('riscv64')], name: 'x' });
      expect(await codeOf(copying)).toBe('PLATFORM_NOT_FOUND');
      expect(target.log).toEqual([]);
    });
  });

  describe('of layers that a licence keeps back', () => {
    const foreignType = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip';
    const withForeign = async (source: MemoryContent) => {
      const { layers } = await randomImage(source, 1);
      const foreign = { diffId: layers[1]!.diffId, blob: { ...layers[1]!.blob, mediaType: foreignType } };
      const image = assembleImage({
        config: { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] } },
        layers: [layers[0]!, foreign],
      });
      source.add(image.config.mediaType, image.configBytes);
      return { descriptor: source.add(image.descriptor.mediaType, image.manifestBytes), foreign: foreign.blob };
    };

    it('leaves out what the source has not', async () => {
      const source = new MemoryContent();
      const { descriptor, foreign } = await withForeign(source);
      source.blobs.delete(foreign.digest);
      const events: CopyEvent[] = [];
      const target = new MemoryContent();
      await copyImage(source, descriptor, target, { onEvent: event => events.push(event) });
      expect(events).toContainEqual({ type: 'blob-skipped', descriptor: foreign, reason: 'foreign' });
      expect(target.blobs.has(foreign.digest)).toBe(false);
      const insisting = copyImage(source, descriptor, new MemoryContent(), { foreignLayers: true });
      expect(await codeOf(insisting)).toBe('BLOB_NOT_FOUND');
    });

    it('takes what the source has', async () => {
      const source = new MemoryContent();
      const { descriptor, foreign } = await withForeign(source);
      const target = new MemoryContent();
      await copyImage(source, descriptor, target);
      expect(target.blobs.has(foreign.digest)).toBe(true);
    });
  });

  describe('between repositories of one registry', () => {
    class Repository extends MemoryContent {
      readonly mountOrigin: { registry: string; repository: string };
      refused = new Set<string>();

      constructor(registry: string, repository: string) {
        super();
        this.mountOrigin = { registry, repository };
      }

      async mount(descriptor: Descriptor, from: string): Promise<boolean> {
        this.log.push(`mount ${descriptor.digest} ${from}`);
        if (this.refused.has(descriptor.digest)) return false;
        const bytes = mounted.blobs.get(descriptor.digest)!;
        this.blobs.set(descriptor.digest, bytes);
        return true;
      }
    }
    const mounted = new Repository('r.example', 'a/b');

    it('mounts, and sends what the registry wants after all', async () => {
      const { descriptor, layers } = await randomImage(mounted, 5);
      const target = new Repository('r.example', 'c/d');
      target.refused.add(layers[0]!.blob.digest);
      const events: CopyEvent[] = [];
      await copyImage(mounted, descriptor, target, { onEvent: event => events.push(event) });
      expect(target.log.filter(line => line.startsWith('mount'))).toHaveLength(3);
      expect(target.log.filter(line => line.startsWith('put'))).toHaveLength(2);
      expect(events.filter(({ type }) => type === 'blob-mounted')).toHaveLength(2);
    });

    it('does not try across registries, or in the same repository', async () => {
      const { descriptor } = await randomImage(mounted, 6);
      for (const target of [new Repository('other.example', 'c/d'), new Repository('r.example', 'a/b')]) {
        await copyImage(mounted, descriptor, target);
        expect(target.log.filter(line => line.startsWith('mount'))).toEqual([]);
      }
    });
  });

  describe('when something fails', () => {
    it('tells the first failure, cancels the others and waits for them', async () => {
      const source = new MemoryContent();
      const { descriptor, layers, config } = await randomImage(source, 1, { layers: 3 });
      const target = new WatchedTarget();
      target.failAt = layers[1]!.blob.digest;
      target.hangAt = config.digest;
      await expect(copyImage(source, descriptor, target, { name: 'v1' })).rejects.toThrow('the target is full');
      expect(target.cancelled).toBe(1);
      expect(target.running).toBe(0);
      expect(target.names.size).toBe(0);
      expect(target.blobs.has(descriptor.digest)).toBe(false);
    });

    it('keeps what was whole and goes on from there', async () => {
      const source = new MemoryContent();
      const { descriptor, layers } = await randomImage(source, 1, { layers: 3 });
      const target = new WatchedTarget();
      target.failAt = layers[2]!.blob.digest;
      await expect(copyImage(source, descriptor, target, { concurrency: 1 })).rejects.toThrow();
      expect(target.blobs.has(layers[0]!.blob.digest)).toBe(true);
      target.failAt = undefined;
      await copyImage(source, descriptor, target);
      await validateImage(target, descriptor);
    });

    it('refuses damaged bytes wherever they are', async () => {
      const whole = new MemoryContent();
      const { descriptor, config, layers } = await randomImage(whole, 1);
      for (const victim of [descriptor, config, layers[0]!.blob, layers[1]!.blob]) {
        const source = new MemoryContent();
        for (const [digest, bytes] of whole.blobs) source.blobs.set(digest, bytes);
        const spoilt = Buffer.from(whole.blobs.get(victim.digest)!);
        spoilt[spoilt.length >> 1]! ^= 1;
        source.blobs.set(victim.digest, spoilt);
        const target = new MemoryContent();
        expect(await codeOf(copyImage(source, descriptor, target, { name: 'v1' }))).toBe('DIGEST_MISMATCH');
        expect(target.blobs.has(victim.digest)).toBe(false);
        expect(target.names.size).toBe(0);
      }
    });

    it('closes every stream that it opened', async () => {
      const opened: Readable[] = [];
      class Watched extends MemoryContent {
        override async openFrom(descriptor: Descriptor, offset: number, options?: CallOptions): Promise<Readable> {
          const stream = await super.openFrom(descriptor, offset, options);
          opened.push(stream);
          return stream;
        }
      }
      const source = new Watched();
      const { descriptor, layers } = await randomImage(source, 1, { layers: 5 });
      const target = new WatchedTarget();
      target.failAt = layers[3]!.blob.digest;
      await expect(copyImage(source, descriptor, target)).rejects.toThrow();
      expect(opened.length).toBeGreaterThan(2);
      expect(opened.every(stream => stream.destroyed)).toBe(true);
    });

    it('stops with the reason of the signal', async () => {
      const source = new MemoryContent();
      const { descriptor, config } = await randomImage(source, 1);
      const target = new WatchedTarget();
      target.hangAt = config.digest;
      const controller = new AbortController();
      setTimeout(() => controller.abort(new Error('enough')), 20);
      const copying = copyImage(source, descriptor, target, { signal: controller.signal, name: 'v1' });
      await expect(copying).rejects.toThrow('enough');
      expect(target.running).toBe(0);
      expect(target.names.size).toBe(0);
    });

    it('does not begin when it has been stopped', async () => {
      const descriptor = { mediaType: mediaTypes.manifest, digest: digestOf('x'), size: 1 };
      const signal = AbortSignal.abort(new Error('never'));
      await expect(copyImage(new MemoryContent(), descriptor, new MemoryContent(), { signal })).rejects.toThrow(
        'never',
      );
    });
  });

  it('copies through sources whose streams come in crumbs', async () => {
    class Crumbs extends MemoryContent {
      override async open(descriptor: Descriptor, options?: CallOptions): Promise<Readable> {
        const whole = await super.open(descriptor, options);
        return Readable.from(
          (async function* () {
            for await (const chunk of whole as Bytes) for (const byte of chunk) yield Buffer.from([byte]);
          })(),
          { objectMode: false },
        );
      }
    }
    const source = new Crumbs();
    const { descriptor } = await randomImage(source, 1, { layerBytes: 100 });
    const target = new MemoryContent();
    await copyImage(source, descriptor, target);
    await validateImage(target, descriptor);
  });
});
