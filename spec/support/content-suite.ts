import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { ContentSource, ContentTarget } from '../../src/content/content.js';
import { copyImage } from '../../src/content/copy.js';
import { type ErrorCode, isLadingError } from '../../src/errors/errors.js';
import { validateImage } from '../../src/image/validate.js';
import type { Descriptor } from '../../src/oci/descriptor.js';
import { digestOf } from '../../src/oci/digest.js';
import { mediaTypes } from '../../src/oci/media-types.js';
import type { Bytes } from '../../src/stream/bytes.js';
import { Digester } from '../../src/stream/verified.js';
import { MemoryContent } from './memory-content.js';
import { randomImage, randomIndex } from './random-image.js';

/** A place under test, and what the suite may ask of it. */
export interface ContentUnderTest {
  readonly content: ContentSource & ContentTarget;
  /** Makes a fresh view of the same place, as another process would have; the same object when there is no such thing. */
  readonly reopen?: (() => Promise<ContentSource>) | undefined;
  readonly close?: (() => Promise<void>) | undefined;
}

const text = 'application/vnd.oci.image.config.v1+json';

/** The code of the error that the work fails with; `undefined` when it does not fail. */
export async function codeOf(work: Promise<unknown>): Promise<ErrorCode | 'other' | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return isLadingError(error) ? error.code : 'other';
  }
}

export async function* chunksOf(...chunks: ReadonlyArray<Uint8Array | string>): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
}

export async function readAll(content: Bytes): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export function describeBytes(bytes: Uint8Array | string, mediaType: string = text): Descriptor {
  const data = Buffer.from(bytes as Uint8Array);
  return { mediaType, digest: digestOf(data), size: data.length };
}

/** What every place where images live promises; run it once for each. `open` gives a new, empty place every time. */
export function describeContent(name: string, open: () => Promise<ContentUnderTest>): void {
  const using = (work: (place: ContentUnderTest) => Promise<void>) => async (): Promise<void> => {
    const place = await open();
    try {
      await work(place);
    } finally {
      await place.close?.();
    }
  };

  describe(`${name} as content`, () => {
    it(
      'gives back what was put',
      using(async ({ content }) => {
        const descriptor = describeBytes('hello');
        expect(await content.has(descriptor)).toBe(false);
        await content.put(descriptor, chunksOf('hel', 'lo'));
        expect(await content.has(descriptor)).toBe(true);
        expect((await readAll(await content.open(descriptor))).toString()).toBe('hello');
      }),
    );

    it(
      'takes the same blob twice, and the empty one',
      using(async ({ content }) => {
        const descriptor = describeBytes('twice');
        await content.put(descriptor, chunksOf('twice'));
        await content.put(descriptor, Readable.from([Buffer.from('twice')]));
        expect((await readAll(await content.open(descriptor))).toString()).toBe('twice');
        const empty = describeBytes('');
        await content.put(empty, chunksOf());
        expect((await readAll(await content.open(empty))).length).toBe(0);
      }),
    );

    it(
      'refuses wrong bytes and keeps nothing of them',
      using(async ({ content }) => {
        const descriptor = describeBytes('right');
        expect(await codeOf(content.put(descriptor, chunksOf('wrong')))).toBe('DIGEST_MISMATCH');
        expect(await content.has(descriptor)).toBe(false);
        expect(await codeOf(content.put(descriptor, chunksOf('righ')))).toBe('SIZE_MISMATCH');
        expect(await codeOf(content.put(descriptor, chunksOf('right', 'er')))).toBe('SIZE_MISMATCH');
        expect(await content.has(descriptor)).toBe(false);
        expect(await codeOf(content.open(descriptor).then(readAll))).toBe('BLOB_NOT_FOUND');
      }),
    );

    it(
      'passes on the failure of the bytes',
      using(async ({ content }) => {
        const descriptor = describeBytes('broken off');
        async function* breaking(): AsyncGenerator<Uint8Array> {
          yield Buffer.from('broken');
          throw new Error('the source broke');
        }
        await expect(content.put(descriptor, breaking())).rejects.toThrow('the source broke');
        expect(await content.has(descriptor)).toBe(false);
      }),
    );

    it(
      'says what is not there',
      using(async ({ content }) => {
        await content.put(describeBytes('something'), chunksOf('something'));
        const descriptor = describeBytes('never put');
        expect(await content.has(descriptor)).toBe(false);
        expect(await codeOf(content.open(descriptor).then(readAll))).toBe('BLOB_NOT_FOUND');
        expect(await codeOf(content.resolve('v404'))).toBe('REFERENCE_NOT_FOUND');
      }),
    );

    it(
      'names images, and moves names',
      using(async ({ content, reopen }) => {
        const memory = new MemoryContent();
        const one = await randomImage(memory, 1);
        const two = await randomImage(memory, 2);
        await copyImage(memory, one.descriptor, content, { name: 'v1' });
        await copyImage(memory, two.descriptor, content, { name: 'v2' });
        expect((await content.resolve('v1')).digest).toBe(one.descriptor.digest);
        expect(await content.resolve('v2')).toMatchObject(two.descriptor);
        await content.tag(one.descriptor, 'v2');
        await content.tag(one.descriptor, 'v2');
        const view = (await reopen?.()) ?? content;
        expect((await view.resolve('v2')).digest).toBe(one.descriptor.digest);
        await validateImage(view, await view.resolve('v2'));
      }),
    );

    it(
      'holds indexes',
      using(async ({ content, reopen }) => {
        const memory = new MemoryContent();
        const platforms = ['amd64', 'arm64'].map(architecture => ({ os: 'linux', architecture }));
        const { descriptor } = await randomIndex(memory, 7, platforms);
        await copyImage(memory, descriptor, content, { name: 'multi' });
        const view = (await reopen?.()) ?? content;
        expect(await view.resolve('multi')).toMatchObject({ digest: descriptor.digest, mediaType: mediaTypes.index });
        await validateImage(view, descriptor);
      }),
    );

    it(
      'does not name what is not there',
      using(async ({ content }) => {
        const { descriptor } = await randomImage(new MemoryContent(), 3);
        expect(await codeOf(content.tag(descriptor, 'v1'))).toBeDefined();
        expect(await codeOf(content.resolve('v1'))).toBe('REFERENCE_NOT_FOUND');
      }),
    );

    it(
      'stops when it is told to',
      using(async ({ content }) => {
        const descriptor = describeBytes('a'.repeat(100_000));
        const early = AbortSignal.abort(new Error('enough'));
        await expect(content.put(descriptor, chunksOf('a'), { signal: early })).rejects.toThrow('enough');
        const controller = new AbortController();
        async function* endless(): AsyncGenerator<Uint8Array> {
          yield Buffer.from('a'.repeat(50_000));
          controller.abort(new Error('enough now'));
          await new Promise(resolve => setTimeout(resolve, 20));
          yield Buffer.from('a'.repeat(50_000));
        }
        await expect(content.put(descriptor, endless(), { signal: controller.signal })).rejects.toThrow();
        expect(await content.has(descriptor)).toBe(false);
      }),
    );

    it(
      'takes one blob from many at a time',
      using(async ({ content }) => {
        const bytes = Buffer.alloc(300_000, 'x');
        const descriptor = describeBytes(bytes);
        const slowly = async function* (): AsyncGenerator<Uint8Array> {
          for (let at = 0; at < bytes.length; at += 50_000) {
            await new Promise(resolve => setImmediate(resolve));
            yield bytes.subarray(at, at + 50_000);
          }
        };
        await Promise.all(Array.from({ length: 8 }, () => content.put(descriptor, slowly())));
        expect((await readAll(await content.open(descriptor))).equals(bytes)).toBe(true);
      }),
    );

    it(
      'streams what is large without holding it all',
      using(async ({ content }) => {
        const chunk = Buffer.alloc(256 * 1024, 7);
        const count = 96;
        const digester = new Digester();
        for (let i = 0; i < count; i++) digester.update(chunk);
        const descriptor = { mediaType: text, size: digester.size, digest: digester.digest() };
        async function* large(): AsyncGenerator<Uint8Array> {
          for (let i = 0; i < count; i++) yield chunk;
        }
        await content.put(descriptor, large());
        let size = 0;
        for await (const piece of (await content.open(descriptor)) as Bytes) size += piece.length;
        expect(size).toBe(descriptor.size);
        // Left in the middle, a stream closes what it holds.
        const half = await content.open(descriptor);
        for await (const _ of half as Bytes) break;
        expect(half.destroyed).toBe(true);
      }),
    );
  });
}
