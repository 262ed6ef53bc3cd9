import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLadingError } from '../../src/errors/errors.js';
import { familiarName, formatReference, parseReference } from '../../src/oci/reference.js';

const digest = `sha256:${'a'.repeat(64)}`;

describe('parseReference', () => {
  it.each([
    ['debian', 'docker.io/library/debian:latest', 'debian:latest'],
    ['diamol/node', 'docker.io/diamol/node:latest', 'diamol/node:latest'],
    ['docker.io/debian:12', 'docker.io/library/debian:12', 'debian:12'],
    ['index.docker.io/library/debian', 'docker.io/library/debian:latest', 'debian:latest'],
    ['ghcr.io/owner/app:1.0', 'ghcr.io/owner/app:1.0', 'ghcr.io/owner/app:1.0'],
    ['localhost/app', 'localhost/app:latest', 'localhost/app:latest'],
    ['127.0.0.1:5000/a/b', '127.0.0.1:5000/a/b:latest', '127.0.0.1:5000/a/b:latest'],
    ['[::1]:5000/a', '[::1]:5000/a:latest', '[::1]:5000/a:latest'],
    [`debian@${digest}`, `docker.io/library/debian@${digest}`, `debian@${digest}`],
    [`debian:12@${digest}`, `docker.io/library/debian:12@${digest}`, `debian:12@${digest}`],
    ['a__b/c--d.e:T_1', 'docker.io/a__b/c--d.e:T_1', 'a__b/c--d.e:T_1'],
  ])('reads %s as %s', (text, full, familiar) => {
    const reference = parseReference(text);
    expect(formatReference(reference)).toBe(full);
    expect(familiarName(reference)).toBe(familiar);
  });

  it.each([
    ...['', 'Debian', 'a//b', '/a', 'a/', 'a:', 'a:b:c', 'a@sha256:12', 'a b', '../a', 'a/../b', '-a', 'a_/b', 'a:.t'],
    ...['http://a/b', `${'a'.repeat(300)}`, 'f'.repeat(64), 'ex ample.com/a', 'a\n', `a:${'t'.repeat(129)}`],
  ])('refuses %j', text => {
    expect(() => parseReference(text)).toThrow(expect.toSatisfy(error => isLadingError(error, 'INVALID_VALUE')));
  });

  it('comes back from its full and its familiar form', () => {
    const name = fc.stringMatching(/^[a-z0-9]{1,8}$/);
    const registry = fc.constantFrom('', 'ghcr.io/', 'localhost/', '127.0.0.1:5000/');
    const parts = fc.array(name, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(registry, parts, fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,12}$/), (host, path, tag) => {
        const reference = parseReference(`${host}${path.join('/')}:${tag}`);
        expect(parseReference(formatReference(reference))).toEqual(reference);
        expect(parseReference(familiarName(reference))).toEqual(reference);
      }),
    );
  });
});
