import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import type { BaseImages } from '../../src/build/inputs.js';
import { type ImageUse, imageKey, openImages } from '../../src/build/open-images.js';
import { isLadingError, LadingError } from '../../src/errors/errors.js';
import { type Image, openImage } from '../../src/image/image.js';
import { openStore } from '../../src/store/store.js';
import { built, writeFiles } from '../support/building.js';
import { tempDir } from '../support/temp-dir.js';

const amd64 = { os: 'linux', architecture: 'amd64' };
const arm64 = { os: 'linux', architecture: 'arm64' };

let image: Image;
beforeEach(async () => {
  const store = await openStore(await tempDir());
  const context = writeFiles(await tempDir(), { Dockerfile: 'FROM scratch\n' });
  image = await openImage(store, (await built('', context, { store })).descriptor);
  await store.close();
});

function use(name: string, line: number, platform = amd64): ImageUse {
  const start = { line, column: 1 };
  return { name, platform, range: { file: 'Dockerfile', start, end: start } };
}

/** Images as a build gets them, slowly, that notes what is asked for and how much of it at a time. */
function slowImages(
  failing: readonly string[] = [],
): BaseImages & { readonly asked: string[]; most: number; ended: number } {
  let running = 0;
  return {
    asked: [],
    most: 0,
    ended: 0,
    async open(name, platform, { signal } = {}) {
      this.asked.push(`${name} ${platform.architecture}`);
      running += 1;
      this.most = Math.max(this.most, running);
      try {
        for (let i = 0; i < (failing.includes(name) ? 5 : 20); i++) {
          await turn();
          signal?.throwIfAborted();
        }
        if (failing.includes(name)) {
          throw new LadingError('REFERENCE_NOT_FOUND', `${name} is not there`, { details: { reference: name } });
        }
        return image;
      } finally {
        running -= 1;
        this.ended += 1;
      }
    },
  };
}

const text = 'FROM a\nFROM b\nFROM c\nFROM d\n';

describe('openImages', () => {
  it('opens each name once for each platform, several names at a time', async () => {
    const images = slowImages();
    const opened = new Map<string, Image>();
    const uses = [use('a', 1), use('b', 2), use('a', 3, arm64), use('c', 4), use('a', 4), use('d', 4), use('e', 4)];
    await openImages(uses, opened, { text, images, contexts: new Map() });
    expect(images.asked.slice().sort()).toEqual(['a amd64', 'a arm64', 'b amd64', 'c amd64', 'd amd64', 'e amd64']);
    expect(images.most).toBe(3);
    expect(opened.get(imageKey('a', arm64))).toBe(image);
    await openImages(uses, opened, { text, images, contexts: new Map() });
    expect(images.asked).toHaveLength(6);
  });

  it('opens the platforms of one image one after the other, however it is spelled', async () => {
    const images = slowImages();
    const uses = [use('a', 1), use('docker.io/library/a:latest', 2, arm64)];
    await openImages(uses, new Map(), { text, images, contexts: new Map() });
    expect(images.most).toBe(1);
    expect(images.asked).toEqual(['a amd64', 'docker.io/library/a:latest arm64']);
  });

  it('asks a named context instead', async () => {
    const images = slowImages();
    const contexts = new Map([['a', { kind: 'image', open: async () => image } as const]]);
    const opened = new Map<string, Image>();
    await openImages([use('a', 1)], opened, { text, images, contexts });
    expect([images.asked, opened.size]).toEqual([[], 1]);
  });

  it('tells the first in the file of those that failed, when all has ended', async () => {
    const images = slowImages(['b', 'c']);
    const uses = [use('a', 1), use('b', 2), use('c', 3), use('d', 4)];
    const error = await openImages(uses, new Map(), { text, images, contexts: new Map() }).catch(thrown => thrown);
    if (!isLadingError(error, 'REFERENCE_NOT_FOUND')) throw error;
    expect(error.details.reference).toBe('b');
    expect(error.place?.excerpt).toContain('>>> FROM b');
    expect(images.ended).toBe(images.asked.length);
    expect(images.asked).not.toContain('d amd64');
  });
});
