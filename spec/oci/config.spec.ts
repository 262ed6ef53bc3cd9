import { describe, expect, it } from 'vitest';
import { isLadingError } from '../../src/errors/errors.js';
import { encodeConfig, parseConfig } from '../../src/oci/config.js';
import { parseManifest } from '../../src/oci/manifest.js';

const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const rootfs = { type: 'layers', diff_ids: [`sha256:${'0'.repeat(64)}`] };

describe('image config', () => {
  it('writes keys in the order and with the escapes of Go', () => {
    const config = parseConfig(
      bytes({
        os: 'linux',
        architecture: 'amd64',
        config: {
          Labels: { b: '<&>', a: '\u2028' },
          Env: ['A=1'],
          Cmd: [],
          User: '',
          Shell: ['sh'],
          Volumes: { '/v': {} },
        },
        rootfs,
        history: [{ created_by: 'x', empty_layer: false, created: '2000-01-01T00:00:00Z' }],
        created: '2000-01-01T00:00:00Z',
      }),
    );
    expect(Buffer.from(encodeConfig(config)).toString()).toBe(
      '{"architecture":"amd64","config":{"Env":["A=1"],"Volumes":{"/v":{}},' +
        '"Labels":{"a":"\\u2028","b":"\\u003c\\u0026\\u003e"},"Shell":["sh"]},' +
        '"created":"2000-01-01T00:00:00Z","history":[{"created":"2000-01-01T00:00:00Z","created_by":"x"}],' +
        `"os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:${'0'.repeat(64)}"]}}`,
    );
  });

  it('takes nulls for what is absent and drops what it does not know', () => {
    const config = parseConfig(
      bytes({
        ...{ os: 'linux', architecture: 'amd64', docker_version: '1', container_config: {} },
        config: { Hostname: 'x', Env: null, Cmd: null, ExposedPorts: null, Labels: null, OnBuild: null },
        rootfs: { type: 'layers', diff_ids: null },
        history: null,
      }),
    );
    expect(Object.keys(config)).not.toContain('docker_version');
    expect(config.rootfs.diff_ids).toEqual([]);
    expect(Buffer.from(encodeConfig(config)).toString()).toContain('"config":{}');
  });

  it('keeps labels that are named like parts of an object', () => {
    const config = parseConfig(
      Buffer.from(
        `{"os":"linux","architecture":"amd64","rootfs":{},"config":{"Labels":{"__proto__":"p","constructor":"c"}}}`,
      ),
    );
    expect(Buffer.from(encodeConfig(config)).toString()).toContain('"__proto__":"p"');
    expect(Buffer.from(encodeConfig(config)).toString()).toContain('"constructor":"c"');
  });

  it.each([
    ['no JSON', Buffer.from('{')],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['a list', bytes([])],
    ['a bad diffId', bytes({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: ['sha256:x'] } })],
  ])('refuses %s', (_, content) => {
    expect(() => parseConfig(content)).toThrow(expect.toSatisfy(error => isLadingError(error, 'INVALID_DOCUMENT')));
  });
});

describe('manifest', () => {
  it('refuses sizes and digests that cannot be', () => {
    const config = { mediaType: 'x', digest: `sha256:${'0'.repeat(64)}`, size: 1 };
    const manifest = { schemaVersion: 2, config, layers: [] };
    expect(parseManifest(bytes(manifest)).layers).toEqual([]);
    for (const wrong of [{ size: -1 }, { size: 1.5 }, { digest: 'md5:1' }, { digest: 'sha256:../../etc/passwd' }]) {
      expect(() => parseManifest(bytes({ ...manifest, config: { ...config, ...wrong } }))).toThrow(
        expect.toSatisfy(error => isLadingError(error, 'INVALID_DOCUMENT')),
      );
    }
  });
});
