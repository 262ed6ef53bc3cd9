import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLadingError } from '../../src/errors/errors.js';
import { formatLocation, type Location, parseLocation } from '../../src/transport/location.js';

const digest = `sha256:${'ab'.repeat(32)}`;
const app = { registry: 'docker.io', repository: 'library/app', tag: '1' };

describe('parseLocation', () => {
  const cases: ReadonlyArray<readonly [string, Location]> = [
    ['docker://app:1', { transport: 'registry', reference: app }],
    ['app:1', { transport: 'registry', reference: app }],
    ['docker:1', { transport: 'registry', reference: { ...app, repository: 'library/docker' } }],
    ['dir:1', { transport: 'registry', reference: { ...app, repository: 'library/dir' } }],
    [
      '127.0.0.1:5000/a/b@'.concat(digest),
      {
        transport: 'registry',
        reference: { registry: '127.0.0.1:5000', repository: 'a/b', digest: digest as `sha256:${string}` & never },
      },
    ],
    ['store:app:1', { transport: 'store', name: 'docker.io/library/app:1' }],
    [`store:${digest}`, { transport: 'store', name: digest }],
    ['oci:folder', { transport: 'oci-layout', path: 'folder' }],
    ['oci:../a b/folder:v1', { transport: 'oci-layout', path: '../a b/folder', name: 'v1' }],
    [
      'oci:folder:docker.io/library/app:1',
      { transport: 'oci-layout', path: 'folder', name: 'docker.io/library/app:1' },
    ],
    [`oci:folder:${digest}`, { transport: 'oci-layout', path: 'folder', name: digest }],
    ['oci:C:\\images\\app:1', { transport: 'oci-layout', path: 'C:\\images\\app', name: '1' }],
    ['oci-archive:/tmp/app.tar:1', { transport: 'oci-archive', path: '/tmp/app.tar', name: '1' }],
    ['docker-archive:app.tar', { transport: 'docker-archive', path: 'app.tar' }],
    ['docker-archive:app.tar:app:1', { transport: 'docker-archive', path: 'app.tar', name: 'app:1' }],
  ];
  it.each(cases)('%s', (text, expected) => {
    const location = parseLocation(text);
    expect(location).toEqual(expected);
    expect(parseLocation(formatLocation(location))).toEqual(location);
  });

  it('takes plain names for the store when asked to', () => {
    expect(parseLocation('app:1', { bare: 'store' })).toEqual({ transport: 'store', name: 'docker.io/library/app:1' });
    expect(parseLocation('docker://app:1', { bare: 'store' }).transport).toBe('registry');
  });

  it.each([
    ['containers-storage:app', 'UNSUPPORTED'],
    ['docker-daemon:app:1', 'UNSUPPORTED'],
    ['dir:/tmp/x', 'UNSUPPORTED'],
    ['dokcer://app', 'UNSUPPORTED'],
    ['https://ghcr.io/a/b', 'INVALID_VALUE'],
    ['oci:', 'INVALID_VALUE'],
    ['oci::tag', 'INVALID_VALUE'],
    ['oci:dir:', 'INVALID_VALUE'],
    ['oci:dir:a b', 'INVALID_VALUE'],
    ['oci-archive:a\0b', 'INVALID_VALUE'],
    ['docker-archive:f.tar:Not/A/Name', 'INVALID_VALUE'],
    ['docker://', 'INVALID_VALUE'],
    ['', 'INVALID_VALUE'],
  ])('%j is %s, with a hint', (text, code) => {
    try {
      parseLocation(text);
      expect.unreachable();
    } catch (error) {
      expect(isLadingError(error) && [error.code, typeof error.hint]).toEqual([code, 'string']);
    }
  });

  it('either fails with an error of ours or reads back what it wrote', () => {
    const text = fc.oneof(
      fc.string(),
      fc
        .tuple(fc.constantFrom('oci:', 'oci-archive:', 'docker-archive:', 'docker://', 'store:'), fc.string())
        .map(parts => parts.join('')),
    );
    fc.assert(
      fc.property(text, value => {
        let location: Location;
        try {
          location = parseLocation(value);
        } catch (error) {
          expect(isLadingError(error)).toBe(true);
          return;
        }
        expect(parseLocation(formatLocation(location))).toEqual(location);
      }),
    );
  });
});
