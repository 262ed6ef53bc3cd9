import { describe, expect, it } from 'vitest';
import { isLadingError } from '../../src/errors/errors.js';
import {
  formatPlatform,
  formatPlatformFull,
  hostPlatform,
  parsePlatform,
  platformDistance,
} from '../../src/oci/platform.js';

const local = { os: 'linux', architecture: 'amd64' };

describe('platforms', () => {
  it.each([
    ['linux/amd64', 'linux/amd64'],
    ['linux/x86_64', 'linux/amd64'],
    ['linux/amd64/v1', 'linux/amd64'],
    ['linux/amd64/v3', 'linux/amd64/v3'],
    ['linux/aarch64', 'linux/arm64'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/armhf', 'linux/arm/v7'],
    ['linux/armel', 'linux/arm/v6'],
    ['linux/arm/6', 'linux/arm/v6'],
    ['linux/i386', 'linux/386'],
    ['arm64', 'linux/arm64'],
    ['windows', 'windows/amd64'],
    ['macos/arm64', 'darwin/arm64'],
    ['local', 'linux/amd64'],
    ['Linux/AMD64', 'linux/amd64'],
  ])('reads %s as %s', (text, expected) => expect(formatPlatform(parsePlatform(text, local))).toBe(expected));

  it('keeps the version of the operating system', () => {
    expect(formatPlatformFull(parsePlatform('windows(10.0.17763)/amd64', local))).toBe('windows(10.0.17763)/amd64');
  });

  it.each(['', 'a/b/c/d', 'nonsense', 'linux/', 'linux/a b', '/amd64'])('refuses %j', text => {
    expect(() => parsePlatform(text, local)).toThrow(expect.toSatisfy(error => isLadingError(error, 'INVALID_VALUE')));
  });

  it.each([
    ['linux/amd64', 'linux/amd64', 0],
    ['linux/arm64', 'linux/arm64/v8', 0],
    ['linux/arm/v7', 'linux/arm/v6', 1],
    ['linux/arm/v7', 'linux/arm/v5', 2],
    ['linux/arm/v6', 'linux/arm/v7', undefined],
    ['linux/amd64/v3', 'linux/amd64', 100],
    ['linux/amd64', 'linux/amd64/v2', undefined],
    ['linux/amd64', 'linux/arm64', undefined],
    ['linux/amd64', 'windows/amd64', undefined],
  ])('for %s the image of %s is %s away', (wanted, has, distance) => {
    const raw = (text: string) => {
      const [os, architecture, variant] = text.split('/');
      return { os: os!, architecture: architecture!, variant };
    };
    expect(platformDistance(raw(wanted), raw(has))).toBe(distance);
  });

  it('names the machine as images do', () => {
    expect(formatPlatform(hostPlatform('x64'))).toBe('linux/amd64');
    expect(formatPlatform(hostPlatform('arm64'))).toBe('linux/arm64');
  });
});
