import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isLadingError } from '../../src/errors/errors.js';
import { digestOf } from '../../src/oci/digest.js';
import { rawEntry, rawTar } from '../layer/raw-tar.js';
import { built, writeFiles } from '../support/building.js';
import { layoutOf } from '../support/layout-of.js';
import { tempDir } from '../support/temp-dir.js';

let top: string;
let layout: string;
const layer = rawTar(rawEntry({ name: 'f' }, 'content'));
beforeEach(async () => {
  top = await tempDir();
  mkdirSync(join(top, 'outside'));
  writeFileSync(join(top, 'outside/canary'), layer);
  layout = layoutOf(join(top, 'layout'), [layer]);
});
afterEach(() => expect(readFileSync(join(top, 'outside/canary')).equals(layer)).toBe(true));

/** Builds on the image of the layout; gives its files, or the code of the error. */
async function files(): Promise<readonly string[] | string> {
  const context = writeFiles(join(top, 'context'), { Dockerfile: 'FROM base\nCOPY Dockerfile /d\n' });
  const build = built(join(top, 'store'), context, { buildContexts: { base: `oci-layout://${layout}` } });
  return await build.then(
    result => result.files.map(line => line.split(' ')[0]!),
    (error: unknown) => (isLadingError(error) ? error.code : Promise.reject(error)),
  );
}

interface Manifest {
  [key: string]: unknown;
  layers: Array<Record<string, unknown>>;
}

/** Changes the manifest of the layout, as whoever makes an image could. */
function changeManifest(change: (manifest: Manifest) => void): void {
  const index = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'));
  const blobs = join(layout, 'blobs/sha256');
  const manifest = JSON.parse(readFileSync(join(blobs, index.manifests[0].digest.slice(7)), 'utf8'));
  change(manifest);
  const bytes = Buffer.from(JSON.stringify(manifest));
  const digest = digestOf(bytes);
  writeFileSync(join(blobs, digest.slice(7)), bytes);
  index.manifests[0] = { ...index.manifests[0], digest, size: bytes.length };
  writeFileSync(join(layout, 'index.json'), JSON.stringify(index));
}

describe('published attacks by images', () => {
  it('are tried on an image that is sound without them', async () => {
    expect(await files()).toEqual(['d', 'f']);
  });

  it('CVE-2024-3727: a digest is a digest, and no path', async () => {
    for (const digest of [
      ...[
        'sha256:../../../../outside/canary',
        `sha256:${'../'.repeat(16)}outside/canary`,
        '../outside:canary',
        'sha256:',
      ],
      ...[`sha256:${'0'.repeat(63)}/`, `SHA256:${'a'.repeat(64)}`, `md5:${'a'.repeat(32)}`, `sha256:${'A'.repeat(64)}`],
    ]) {
      layout = layoutOf(join(top, 'layout'), [layer]);
      changeManifest(manifest => {
        manifest.layers[0]!['digest'] = digest;
      });
      expect([digest, await files()]).toEqual([digest, expect.stringMatching(/^[A-Z_]+$/)]);
    }
  });

  it('CVE-2021-41190: a document that is a manifest and an index at once is neither', async () => {
    changeManifest(manifest => {
      manifest['manifests'] = [{ mediaType: manifest['mediaType'], digest: digestOf('x'), size: 1 }];
      delete manifest['mediaType'];
    });
    expect(await files()).toEqual(expect.stringMatching(/^[A-Z_]+$/));
  });

  it('CVE-2020-15157: nobody is asked for a layer at an address that an image names', async () => {
    let asked = 0;
    const server = createServer((_, response) => {
      asked += 1;
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      changeManifest(manifest => {
        const missing = digestOf('not there');
        manifest.layers[0] = {
          ...manifest.layers[0],
          digest: missing,
          urls: [`http://127.0.0.1:${port}/v2/x/blobs/${missing}`],
        };
      });
      expect(await files()).toEqual(expect.stringMatching(/^[A-Z_]+$/));
      expect(asked).toBe(0);
    } finally {
      server.close();
    }
  });
});
