import { describe, expect, it } from 'vitest';
import { selectPlatform } from '../../src/content/select-platform.js';
import { isLadingError } from '../../src/errors/errors.js';
import type { Descriptor } from '../../src/oci/descriptor.js';
import { digestOf } from '../../src/oci/digest.js';
import { mediaTypes } from '../../src/oci/media-types.js';
import { type Platform, parsePlatform } from '../../src/oci/platform.js';

const amd64: Platform = { os: 'linux', architecture: 'amd64' };
const manifest = (platform: Platform | undefined, extra: Partial<Descriptor> = {}): Descriptor => ({
  mediaType: mediaTypes.manifest,
  digest: digestOf(JSON.stringify([platform, extra])),
  size: 1,
  platform,
  ...extra,
});
const of = (...texts: string[]): Descriptor[] => texts.map(text => manifest(parsePlatform(text, amd64)));
const unknown = manifest({ os: 'unknown', architecture: 'unknown' });

describe('selectPlatform', () => {
  it('takes the exact platform, wherever it stands', () => {
    const manifests = of('linux/arm64', 'linux/amd64', 'windows/amd64');
    expect(selectPlatform({ manifests }, amd64)).toBe(manifests[1]);
  });

  it('takes the nearest older variant', () => {
    const manifests = of('linux/arm/v5', 'linux/arm/v6');
    expect(selectPlatform({ manifests }, parsePlatform('linux/arm/v7', amd64))).toBe(manifests[1]);
  });

  it('never takes a newer variant', () => {
    const wanted = parsePlatform('linux/arm/v6', amd64);
    expect(() => selectPlatform({ manifests: of('linux/arm/v7') }, wanted)).toThrow();
  });

  it('takes the first of equals', () => {
    const twin = manifest(amd64, { annotations: { twin: 'yes' } });
    const manifests = [...of('linux/amd64'), twin];
    expect(selectPlatform({ manifests }, amd64)).toBe(manifests[0]);
  });

  it('passes over attestations, whatever platform they claim', () => {
    const posing = manifest(amd64, { annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } });
    const manifests = [posing, unknown, ...of('linux/amd64')];
    expect(selectPlatform({ manifests }, amd64)).toBe(manifests[2]);
  });

  it('takes a single manifest without platform at its word', () => {
    const manifests = [manifest(undefined), unknown];
    expect(selectPlatform({ manifests }, amd64)).toBe(manifests[0]);
  });

  it('says what there is when it is not there', () => {
    const select = (): unknown => selectPlatform({ manifests: [...of('linux/arm64', 'linux/s390x'), unknown] }, amd64);
    expect(select).toThrow();
    try {
      select();
    } catch (error) {
      expect(isLadingError(error, 'PLATFORM_NOT_FOUND') && error.details).toEqual({
        wanted: 'linux/amd64',
        available: ['linux/arm64', 'linux/s390x'],
      });
    }
  });

  it('has nothing to choose from in an empty index', () => {
    expect(() => selectPlatform({ manifests: [] }, amd64)).toThrow();
  });
});
