import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as zlib from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BuildImageOptions } from '../../src/api/build-image.js';
import { parseOutput } from '../../src/api/output.js';
import { parseAttestations } from '../../src/api/parse-attestations.js';
import { indexLayer } from '../../src/layer/index-layer.js';
import { chunked, rawEntry, rawPax, rawTar } from '../layer/raw-tar.js';
import { built, writeFiles } from '../support/building.js';
import { cli, runCli } from '../support/run-cli.js';
import { foreignOptions } from './foreign-options.js';
import { type NotYetId, notYet } from './not-yet.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lading-not-yet-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const build = (lines: string, options: Partial<BuildImageOptions> = {}) => {
  const context = writeFiles(join(folder, 'context'), { Dockerfile: `FROM scratch\n${lines}\n`, a: 'a' });
  return built(join(folder, 'store'), context, options);
};
const hasZstd = 'createZstdCompress' in zlib;

const attempts: Readonly<Record<NotYetId, () => Promise<unknown>>> = {
  socks: () =>
    build('ADD http://example.com/x /x', {
      pull: 'missing',
      registry: { proxy: { http: 'socks5://127.0.0.1:1' } },
    }),
  oddXz: async () => {
    const { stdout } = spawnSync('xz', ['-c', '--check=sha256'], { input: rawTar(rawEntry({}, 'x')) });
    writeFileSync(join(writeFiles(join(folder, 'context'), { 'x/': '' }), 'a.tar.xz'), stdout);
    return await build('ADD a.tar.xz /x');
  },
  offlineGit: () => build('ADD https://example.com/repository.git /x'),
  oldGit: () => {
    writeFileSync(join(folder, 'git'), '#!/bin/sh\necho git version 2.30.2\n', { mode: 0o755 });
    return build('ADD https://example.com/repository.git /x', { pull: 'missing', env: { PATH: folder } });
  },
  bakeContexts: () => build('COPY --from=other a /', { buildContexts: { other: 'target:other' } }),
  frontends: () => build('LABEL a=b', { buildArgs: { BUILDKIT_SYNTAX: 'example.com/frontend' } }),
  zstd: () => build('COPY a /', { compression: 'zstd' }),
  dockerArchive: () =>
    build('COPY a /', {
      platforms: ['linux/amd64', 'linux/arm64'],
      outputs: [parseOutput(`type=docker,dest=${join(folder, 'x.tar')}`)],
    }),
  sbom: async () => parseAttestations(['type=sbom']),
  estargz: async () => parseOutput('type=image,compression=estargz'),
  unpacking: async () => parseOutput('type=image,unpack=true'),
  foreignLayers: async () => parseOutput('type=image,prefer-nondist-layers=true'),
  sparseFiles: () => {
    const records = [
      ['GNU.sparse.size', '9'],
      ['GNU.sparse.numblocks', '1'],
      ['GNU.sparse.map', '5,4'],
    ] as const;
    return indexLayer(chunked(rawTar(rawPax(records), rawEntry({}, 'data'))));
  },
  inlineCache: () => build('COPY a /', { buildArgs: { BUILDKIT_INLINE_CACHE: '1' } }),
};

describe('what is not there yet is refused', () => {
  it.each(Object.entries(notYet) as Array<[NotYetId, (typeof notYet)[NotYetId]]>)('%s', async (id, { code }) => {
    const error = await attempts[id]().then(
      () => undefined,
      thrown => thrown as unknown,
    );
    if (id === 'zstd' && hasZstd) expect(error).toBeUndefined();
    else expect(error, String(error)).toMatchObject({ code });
  });

  it.each(foreignOptions.flatMap(({ name, refused }) => refused.map(value => `--${name}=${value}`)))(
    'build %s',
    async written => {
      const { code, stderr } = await runCli(['build', written, '.'], { cwd: folder });
      expect(code).toBe(2);
      expect(stderr).toContain('[UNSUPPORTED]');
    },
  );

  it('but not where it asks for what happens anyway', async () => {
    writeFiles(folder, { Dockerfile: 'FROM scratch\nLABEL a=b\n' });
    const plain = await cli(['build', '-q', '.'], { cwd: folder });
    const taken = foreignOptions.flatMap(({ name, taken }) => taken.map(value => `--${name}=${value}`));
    expect(await cli(['build', '-q', ...taken, '.'], { cwd: folder })).toBe(plain);
  });
});
