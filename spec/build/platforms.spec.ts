import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BuildImageEvent, BuildImageOptions } from '../../src/api/build-image.js';
import type { StepInfo } from '../../src/build/event.js';
import { openImage } from '../../src/image/image.js';
import { formatPlatform } from '../../src/oci/platform.js';
import { openStore, type Store } from '../../src/store/store.js';
import { type Built, built, host, writeFiles } from '../support/building.js';
import { type GatedServer, gatedServer } from '../support/gated-server.js';

let folder: string;
let context: string;
let store: Store;
let server: GatedServer;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lading-platforms-'));
  context = writeFiles(join(folder, 'context'), { a: 'a', 'd/b': 'b', 'for/amd64': '1', 'for/arm64': '2' });
  store = await openStore(join(folder, 'store'));
  server = await gatedServer();
});
afterEach(async () => {
  await server.close();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const two = ['linux/amd64', 'linux/arm64'];

async function build(
  dockerfile: string,
  options: Partial<BuildImageOptions> = {},
): Promise<{ readonly result: Built; readonly events: readonly BuildImageEvent[]; readonly steps: string[] }> {
  const events: BuildImageEvent[] = [];
  const result = await built('', context, {
    store,
    platforms: two,
    pull: 'missing',
    dockerfileText: dockerfile.replaceAll('URL', server.url),
    onEvent: event => events.push(event),
    ...options,
  });
  const started = events.flatMap(event => (event.kind === 'step-started' ? [event.step] : []));
  const steps = started.sort((a, b) => a.id - b.id).map(shown);
  return { result, events, steps };
}

function shown({ id, platforms, stage, index, total, title }: StepInfo): string {
  const place = index === undefined ? '' : ` ${index}/${total}`;
  const names = platforms?.map(formatPlatform).join(',');
  return `${id} ${names} ${stage ?? '-'}${place} ${title.replaceAll(server.url, 'URL')}`;
}

/** Lines of the steps that packed: only what packs makes progress. */
function packed(events: readonly BuildImageEvent[]): number[] {
  return events.flatMap(event => (event.kind === 'step-progress' && event.bytes > 0 ? [event.step.line] : []));
}

describe('a build for several platforms', () => {
  it('does once what says nothing of a platform', async () => {
    const { result, steps } = await build('FROM scratch\nWORKDIR /w\nCOPY a .\nENV X=y\n');
    expect(steps).toEqual([
      '1 linux/amd64,linux/arm64 - 1/2 WORKDIR /w',
      '2 linux/amd64,linux/arm64 - 2/2 COPY a .',
      '3 linux/amd64,linux/arm64 - ENV X=y',
    ]);
    const images = await Promise.all(result.images.map(({ descriptor }) => openImage(store, descriptor)));
    expect(images.map(({ config }) => config.architecture)).toEqual(['amd64', 'arm64']);
    expect(images[0]!.manifest.layers).toEqual(images[1]!.manifest.layers);
  });

  it('parts where the platform comes in, and not before', async () => {
    const { steps, events } = await build(
      'FROM scratch\nCOPY d /d\nARG TARGETARCH\nCOPY for/$TARGETARCH /f\nCOPY a /a\n',
      {
        noCache: true,
      },
    );
    expect(steps).toEqual([
      '1 linux/amd64,linux/arm64 - 1/3 COPY d /d',
      '2 linux/amd64 - ARG TARGETARCH',
      '3 linux/amd64 - 2/3 COPY for/$TARGETARCH /f',
      '4 linux/amd64 - 3/3 COPY a /a',
      '5 linux/arm64 - ARG TARGETARCH',
      '6 linux/arm64 - 2/3 COPY for/$TARGETARCH /f',
      '7 linux/arm64 - 3/3 COPY a /a',
    ]);
    // The last is another step on each, and one layer.
    expect(packed(events).sort()).toEqual([2, 4, 4, 5]);
  });

  it('carries a stage for the building platform out once, and fetches once', async () => {
    const base = writeFiles(join(folder, 'base'), { Dockerfile: 'FROM scratch\nCOPY Dockerfile /base\nENV B=1\n' });
    await built('', base, { store, tags: ['base:1'] });
    server.release('/tool');
    const { result, steps } = await build(`FROM --platform=$BUILDPLATFORM base:1 AS build
WORKDIR /src
ADD URL/tool .
FROM scratch
ARG TARGETPLATFORM
COPY --from=build /src/tool /tool
ADD URL/tool /again
`);
    expect(steps).toEqual([
      '1 linux/amd64,linux/arm64 build 2/3 WORKDIR /src',
      '2 linux/amd64,linux/arm64 build 3/3 ADD URL/tool .',
      '3 linux/amd64 stage-1 ARG TARGETPLATFORM',
      '4 linux/amd64 stage-1 1/2 COPY --from=build /src/tool /tool',
      '5 linux/amd64 stage-1 2/2 ADD URL/tool /again',
      '6 linux/arm64 stage-1 ARG TARGETPLATFORM',
      '7 linux/arm64 stage-1 1/2 COPY --from=build /src/tool /tool',
      '8 linux/arm64 stage-1 2/2 ADD URL/tool /again',
    ]);
    expect(server.asked).toEqual(['/tool']);
    expect(result.files).toEqual(['again file 600 0:0 5', 'tool file 600 0:0 5']);
  });

  it('keeps stages on different bases apart, and takes images for --from of the platform that is built', async () => {
    for (const [architecture, text] of [
      ['amd64', 'one'],
      ['arm64', 'two'],
    ] as const) {
      const base = writeFiles(join(folder, architecture), { Dockerfile: 'FROM scratch\nCOPY f /f\n', f: text });
      const layout = { type: 'oci', tar: false, dest: join(folder, `layout-${architecture}`) } as const;
      await built('', base, { store, platforms: [`linux/${architecture}`], outputs: [layout] });
    }
    const index = writeFiles(join(folder, 'index'), {
      Dockerfile: 'ARG TARGETARCH\nFROM $TARGETARCH\n',
    });
    await built('', index, {
      store,
      platforms: two,
      tags: ['both:1'],
      buildContexts: {
        amd64: `oci-layout://${join(folder, 'layout-amd64')}`,
        arm64: `oci-layout://${join(folder, 'layout-arm64')}`,
      },
    });
    const { result, steps } = await build(
      'FROM --platform=$BUILDPLATFORM both:1 AS b\nCOPY --from=both:1 /f /g\nFROM scratch\nCOPY --from=b /f /\nCOPY --from=b /g /\n',
    );
    // One image for the stage itself, and two for what is copied.
    expect(steps).toEqual([
      '1 linux/amd64 b 2/2 COPY --from=both:1 /f /g',
      '2 linux/amd64 stage-1 1/2 COPY --from=b /f /',
      '3 linux/amd64 stage-1 2/2 COPY --from=b /g /',
      '4 linux/arm64 b 2/2 COPY --from=both:1 /f /g',
      '5 linux/arm64 stage-1 1/2 COPY --from=b /f /',
      '6 linux/arm64 stage-1 2/2 COPY --from=b /g /',
    ]);
    const images = await Promise.all(result.images.map(({ descriptor }) => openImage(store, descriptor)));
    const [one, other] = images.map(({ manifest }) => manifest.layers.map(layer => layer.digest));
    expect(one![0]).toBe(other![0]);
    expect(one![1]).not.toBe(other![1]);
    const apart = await build('FROM both:1\nENV X=y\n');
    expect(apart.steps).toEqual(['1 linux/amd64 - ENV X=y', '2 linux/arm64 - ENV X=y']);
  });

  it('is for each platform what a build for it alone is', async () => {
    const dockerfile = `ARG SOURCE_DATE_EPOCH=1000
FROM --platform=$BUILDPLATFORM scratch AS build
COPY d /d
FROM scratch AS other
ARG TARGETARCH
COPY for/$TARGETARCH /f
FROM other
COPY --from=build --chown=1:2 /d /d
LABEL arch=$TARGETARCH
`;
    const { result } = await build(dockerfile, { concurrency: 8 });
    for (const [place, platform] of two.entries()) {
      const alone = await build(dockerfile, { platforms: [platform], concurrency: 1, noCache: true });
      expect(alone.result.descriptor.digest).toBe(result.images[place]!.descriptor.digest);
      expect(alone.steps.every(step => step.includes(' undefined '))).toBe(true);
    }
  });

  it('takes the triggers of each base, and the stages that they bring in', async () => {
    const base = writeFiles(join(folder, 'base'), {
      Dockerfile: 'FROM scratch\nONBUILD ARG TARGETARCH\nONBUILD COPY --from=tools /t /$TARGETARCH\n',
    });
    await built('', base, { store, tags: ['base:1'], platforms: two });
    const { result, steps } = await build(
      'FROM scratch AS tools\nCOPY a /t\nFROM scratch AS unused\nCOPY nope /\nFROM base:1\n',
    );
    expect(steps).toEqual([
      '1 linux/amd64,linux/arm64 tools 1/1 COPY a /t',
      '2 linux/amd64 stage-2 ONBUILD ARG TARGETARCH',
      '3 linux/amd64 stage-2 2/2 ONBUILD COPY --from=tools /t /$TARGETARCH',
      '4 linux/arm64 stage-2 ONBUILD ARG TARGETARCH',
      '5 linux/arm64 stage-2 2/2 ONBUILD COPY --from=tools /t /$TARGETARCH',
    ]);
    expect(result.files).toEqual(['amd64 file 644 0:0 1']);
  });

  it('opens a folder that is a context once', async () => {
    const more = writeFiles(join(folder, 'more'), { m: 'm' });
    const { steps, result } = await build('FROM more AS x\nFROM x\nCOPY --from=more m /n\n', {
      buildContexts: { more },
    });
    expect(steps).toEqual(['1 linux/amd64,linux/arm64 stage-1 1/1 COPY --from=more m /n']);
    expect(result.files).toEqual(['m file 644 0:0 1', 'n file 644 0:0 1']);
  });

  it('names no platforms when it is for one', async () => {
    const { steps } = await build('FROM scratch\nCOPY a /\n', { platforms: [formatPlatform(host)] });
    expect(steps).toEqual(['1 undefined - 1/1 COPY a /']);
  });

  it('tells of the images in the order that was asked for', async () => {
    const { events } = await build('FROM scratch\nCOPY a /\n', { platforms: [...two].reverse() });
    const done = events.flatMap(event => (event.kind === 'image-done' ? [event.platform.architecture] : []));
    expect(done).toEqual(['arm64', 'amd64']);
  });
});
