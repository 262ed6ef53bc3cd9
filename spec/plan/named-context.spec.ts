import { describe, expect, it } from 'vitest';
import { parsePlatform } from '../../src/oci/platform.js';
import { isNamedContext, joinContextName, namedContextOf, splitContextName } from '../../src/plan/named-context.js';
import { graphOf } from './support.js';

const amd64 = { os: 'linux', architecture: 'amd64' };
const arm64 = { os: 'linux', architecture: 'arm64', variant: 'v8' };

describe('namedContextOf', () => {
  it.each([
    ['debian', 'docker.io/library/debian:latest', true],
    ['docker.io/library/debian', 'debian', true],
    ['debian:12', 'debian', false],
    ['debian', 'ghcr.io/x/debian', false],
    ['Stage', 'stage', true],
  ])('takes %s for the named context %s: %s', (name, context, taken) => {
    expect(namedContextOf(name, amd64, ['other', context])).toBe(taken ? context : undefined);
  });

  it.each([
    ['src', ['src'], 'src'],
    ['Src', ['src'], 'src'],
    ['debian', ['docker.io/library/debian:latest'], 'docker.io/library/debian:latest'],
    ['docker.io/library/debian', ['debian'], 'debian'],
    ['debian:12', ['debian'], undefined],
    ['src', ['src', 'src::linux/amd64'], 'src::linux/amd64'],
    ['src', ['src', 'src::linux/arm64'], 'src'],
    ['src', ['src::linux/arm64'], undefined],
    ['debian', ['debian', 'docker.io/library/debian::linux/amd64'], 'docker.io/library/debian::linux/amd64'],
    ['scratch', ['scratch', 'scratch::linux/amd64'], undefined],
    ['context', ['context'], undefined],
    ['src', [], undefined],
  ])('%s among %j is %s', (name, contexts, found) => {
    expect(namedContextOf(name, amd64, contexts)).toBe(found);
    expect(isNamedContext(name, amd64, new Set(contexts))).toBe(found !== undefined);
  });

  it('knows a platform by its normal name', () => {
    expect(namedContextOf('src', arm64, ['src::linux/arm64'])).toBe('src::linux/arm64');
    const armv7 = parsePlatform('linux/armhf', amd64);
    expect(namedContextOf('src', armv7, [joinContextName('src', armv7)])).toBe('src::linux/arm/v7');
  });
});

describe('splitContextName', () => {
  it.each([
    ['src', { name: 'src' }],
    ['src::linux/arm64', { name: 'src', platform: 'linux/arm64' }],
    ['a:1::linux/arm64', { name: 'a:1', platform: 'linux/arm64' }],
  ])('of %s', (full, parts) => {
    expect(splitContextName(full)).toEqual(parts);
  });
});

describe('a context for one platform', () => {
  it('takes the place of stages and images of that platform only', () => {
    const text = 'FROM --platform=linux/arm64 scratch AS one\nFROM scratch AS two\nCOPY --from=one a /';
    const namedContexts = ['one::linux/arm64', 'two::linux/arm64'];
    const { stages } = graphOf(text, { namedContexts, targetPlatform: 'linux/amd64' });
    expect(stages.map(({ base }) => base.kind)).toEqual(['image', 'scratch']);
  });
});
