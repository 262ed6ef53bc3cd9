import { describe, expect, it } from 'vitest';
import { type Annotation, annotationsAt, checkAnnotations } from '../../src/build/annotations.js';
import { isLadingError } from '../../src/errors/errors.js';

const amd64 = { os: 'linux', architecture: 'amd64' };
const arm64 = { os: 'linux', architecture: 'arm64' };

describe('annotationsAt', () => {
  const annotations: Annotation[] = [
    { place: 'manifest', platform: arm64, key: 'a', value: 'arm' },
    { place: 'manifest', key: 'a', value: 'first' },
    { place: 'manifest', key: 'a', value: 'last' },
    { place: 'index', key: '__proto__', value: 'x' },
  ];

  it('prefers what is said of the platform, then what is said last', () => {
    expect(annotationsAt(annotations, 'manifest', amd64)).toEqual({ a: 'last' });
    expect(annotationsAt(annotations, 'manifest', arm64)).toEqual({ a: 'arm' });
  });

  it('is nothing where nothing is said', () => {
    expect(annotationsAt(annotations, 'manifest-descriptor', arm64)).toBeUndefined();
  });

  it('takes any key', () => {
    expect(Object.entries(annotationsAt(annotations, 'index')!)).toEqual([['__proto__', 'x']]);
  });
});

describe('checkAnnotations', () => {
  it.each<[Annotation, number]>([
    [{ place: 'index', key: 'a', value: '' }, 1],
    [{ place: 'index-descriptor', key: 'a', value: '' }, 1],
    [{ place: 'manifest', platform: { os: 'linux', architecture: 's390x' }, key: 'a', value: '' }, 2],
  ])('refuses %j with %d platforms', (annotation, count) => {
    let caught: unknown;
    try {
      checkAnnotations([annotation], [amd64, arm64].slice(0, count), count > 1);
    } catch (error) {
      caught = error;
    }
    expect(isLadingError(caught, 'USAGE')).toBe(true);
  });

  it('takes those that have a place', () => {
    checkAnnotations([{ place: 'index', key: 'a', value: '' }], [amd64, arm64], true);
    checkAnnotations([{ place: 'index', key: 'a', value: '' }], [amd64], true);
    checkAnnotations([{ place: 'manifest', platform: arm64, key: 'a', value: '' }], [arm64], false);
  });
});
