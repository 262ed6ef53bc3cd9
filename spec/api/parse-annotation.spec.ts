import { describe, expect, it } from 'vitest';
import { parseAnnotation } from '../../src/api/parse-annotation.js';
import { isLadingError } from '../../src/errors/errors.js';

const host = { os: 'linux', architecture: 'amd64' };
const arm = { os: 'linux', architecture: 'arm', variant: 'v7' };

describe('parseAnnotation', () => {
  it.each([
    ['k=v', [{ place: 'manifest', key: 'k', value: 'v' }]],
    ['k=', [{ place: 'manifest', key: 'k', value: '' }]],
    ['k=a:b=c', [{ place: 'manifest', key: 'k', value: 'a:b=c' }]],
    ['index:k=v', [{ place: 'index', key: 'k', value: 'v' }]],
    ['manifest[linux/arm]:k=v', [{ place: 'manifest', platform: arm, key: 'k', value: 'v' }]],
    [
      'index,manifest-descriptor[linux/arm/v7]:k:x=v',
      [
        { place: 'index', key: 'k:x', value: 'v' },
        { place: 'manifest-descriptor', platform: arm, key: 'k:x', value: 'v' },
      ],
    ],
  ])('%s', (text, annotations) => {
    expect(parseAnnotation(text, host)).toEqual(annotations);
  });

  it.each([
    ['k', 'USAGE'],
    ['=v', 'USAGE'],
    ['a b=v', 'USAGE'],
    [':k=v', 'USAGE'],
    ['manifests:k=v', 'USAGE'],
    ['manifest[:k=v', 'USAGE'],
    ['manifest[]:k=v', 'USAGE'],
    ['index,:k=v', 'USAGE'],
    ['manifest[a/b/c/d]:k=v', 'INVALID_VALUE'],
  ])('refuses %s', (text, code) => {
    let caught: unknown;
    try {
      parseAnnotation(text, host);
    } catch (error) {
      caught = error;
    }
    expect(isLadingError(caught) && caught.code).toBe(code);
  });
});
