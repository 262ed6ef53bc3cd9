import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseChallenges } from '../../../src/transport/registry/challenge.js';

function plain(header: string): unknown {
  return parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
}

describe('parseChallenges', () => {
  it.each([
    ['', []],
    ['Basic', [['basic', {}]]],
    ['Basic realm="x"', [['basic', { realm: 'x' }]]],
    [
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"',
      [
        [
          'bearer',
          { realm: 'https://auth.docker.io/token', service: 'registry.docker.io', scope: 'repository:a/b:pull,push' },
        ],
      ],
    ],
    ['bearer REALM = "a" , service=b', [['bearer', { realm: 'a', service: 'b' }]]],
    [
      'Basic realm="a", Bearer realm="b", service="c"',
      [
        ['basic', { realm: 'a' }],
        ['bearer', { realm: 'b', service: 'c' }],
      ],
    ],
    [
      'Negotiate, Basic realm="a"',
      [
        ['negotiate', {}],
        ['basic', { realm: 'a' }],
      ],
    ],
    ['Bearer realm="a\\"b\\\\c"', [['bearer', { realm: 'a"b\\c' }]]],
    ['Bearer realm="never ends', [['bearer', { realm: 'never ends' }]]],
    ['\tBearer\trealm="a",,error="insufficient_scope" ,', [['bearer', { realm: 'a', error: 'insufficient_scope' }]]],
    [
      'Basic realm="a, Bearer realm=\\"b\\"", Digest nonce=x',
      [
        ['basic', { realm: 'a, Bearer realm="b"' }],
        ['digest', { nonce: 'x' }],
      ],
    ],
    ['Bearer realm="first",realm="second"', [['bearer', { realm: 'first' }]]],
    ['Bearer __proto__="x",constructor="y"', [['bearer', JSON.parse('{"__proto__":"x","constructor":"y"}')]]],
    [
      '="x", ;;; Bearer realm=,service="s"',
      [
        ['x', {}],
        ['bearer', { realm: '', service: 's' }],
      ],
    ],
  ])('%j', (header, expected) => {
    expect(plain(header)).toEqual(expected);
  });

  it('gives back what was put in', () => {
    const token = fc.stringMatching(/^[a-z]{1,10}$/);
    const challenge = fc.tuple(token, fc.dictionary(token, fc.string(), { maxKeys: 5 }));
    fc.assert(
      fc.property(fc.array(challenge, { maxLength: 5 }), challenges => {
        const header = challenges
          .map(([scheme, parameters]) => {
            const pairs = Object.entries(parameters).map(([k, v]) => `${k}="${v.replace(/["\\]/g, '\\$&')}"`);
            return `${scheme} ${pairs.join(', ')}`;
          })
          .join(', ');
        expect(plain(header)).toEqual(challenges.map(([scheme, parameters]) => [scheme, { ...parameters }]));
      }),
    );
  });

  it('reads anything, in bounded time and space', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 2000 }), header => {
        expect(parseChallenges(header).length).toBeLessThanOrEqual(16);
      }),
    );
    for (const piece of ['a ', 'a="', ',', '\\"', 'a=', '"', ' ', 'Bearer realm="x", ']) {
      expect(parseChallenges(piece.repeat(Math.floor((16 * 1024) / piece.length))).length).toBeLessThanOrEqual(16);
    }
    expect(parseChallenges('a '.repeat(20_000))).toEqual([]);
    expect(parseChallenges(undefined)).toEqual([]);
  });
});
