import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatGitReference,
  type GitFlags,
  isGitContext,
  isGitReference,
  parseGitContext,
  parseGitReference,
} from '../../src/plan/git-reference.js';
import { failureOf } from './support.js';

const repository = 'https://example.org/owner/name.git';
const commit = '0123456789abcdef0123456789abcdef01234567';

function parsed(text: string, flags?: GitFlags): Record<string, unknown> {
  const { remote, transport, ...wanted } = parseGitReference(text, flags)!;
  expect({ remote, transport }).toEqual({ remote: repository, transport: 'https' });
  return wanted;
}

describe('parseGitReference', () => {
  it.each([
    ['https://example.org/name.git', 'https://example.org/name.git', 'https'],
    ['https://me:pw@example.org/name.git', 'https://me:pw@example.org/name.git', 'https'],
    ['http://example.org:8080/a/b/name.git?ref=x#x', 'http://example.org:8080/a/b/name.git', 'http'],
    ['HTTPS://example.org/name.git', 'https://example.org/name.git', 'https'],
    ['https://example.org/a b.git', 'https://example.org/a%20b.git', 'https'],
    ['https://example.org/.git', 'https://example.org/.git', 'https'],
    ['git://example.org/name', 'git://example.org/name', 'git'],
    ['ssh://git@example.org:2222/name', 'ssh://git@example.org:2222/name', 'ssh'],
    ['git@example.org:owner/name', 'git@example.org:owner/name', 'ssh'],
    ['git@example.org:owner/name.git?tag=v1#refs/tags/v1', 'git@example.org:owner/name.git', 'ssh'],
  ])('reads the repository of %s', (text, remote, transport) => {
    expect(parseGitReference(text)).toMatchObject({ remote, transport });
    expect(isGitReference(text)).toBe(true);
  });

  it.each([
    'https://example.org/',
    'https://example.org/name',
    'https://example.org/name.git/',
    'https://example.org/name.git.bar',
    'https://example.git',
    'http://example.org/name.git:#branch',
    'custom.xyz/owner/name.git',
    'github.com/owner/name',
    'ftp://example.org/name.git',
    'file:///name.git',
    'ext::sh -c x',
    './name.git',
    '../git@host:path',
    '.git',
    'a b@host:x',
    '',
  ])('leaves %j alone', text => {
    expect(parseGitReference(text)).toBeUndefined();
    expect(isGitReference(text)).toBe(false);
  });

  it.each([
    ['', {}],
    ['#', {}],
    ['#main', { ref: 'main' }],
    ['#release/1.2', { ref: 'release/1.2' }],
    ['#release%2F1.2', { ref: 'release/1.2' }],
    [`#${commit}`, { ref: commit }],
    ['#main:docs', { ref: 'main', subdirectory: 'docs' }],
    ['#:a/b', { subdirectory: 'a/b' }],
    ['#:/', {}],
    ['#:./a/../b/', { subdirectory: 'b' }],
    ['#main:../../etc', { ref: 'main', subdirectory: 'etc' }],
    ['#main:a:b', { ref: 'main', subdirectory: 'a:b' }],
    ['?ref=main', { ref: 'main' }],
    ['?ref=v1.0.0&subdir=/docs', { ref: 'v1.0.0', subdirectory: 'docs' }],
    ['?subdir=docs#main', { ref: 'main', subdirectory: 'docs' }],
    ['?ref=main#main', { ref: 'main' }],
    ['?tag=v1', { ref: 'refs/tags/v1' }],
    ['?tag=refs/tags/v1', { ref: 'refs/tags/v1' }],
    ['?branch=main', { ref: 'refs/heads/main' }],
    ['?branch=refs/heads/main#refs/heads/main', { ref: 'refs/heads/main' }],
    ['?checksum=ABC123', { checksum: 'abc123' }],
    ['?commit=abc123&checksum=abc123', { checksum: 'abc123' }],
    ['?keep-git-dir', { keepGitDir: true }],
    ['?keep-git-dir=0', { keepGitDir: false }],
    ['?submodules=F', { submodules: false }],
    ['?submodules', { submodules: true }],
    ['?mtime=commit', {}],
    ['?mtime=checkout', {}],
    [`?fetch-by-commit&checksum=${commit}#main`, { ref: 'main', checksum: commit, fetchByCommit: true }],
    [`?fetch-by-commit=true#${commit}`, { ref: commit, fetchByCommit: true }],
    ['?fetch-by-commit=false', {}],
  ])('reads %s', (rest, wanted) => {
    expect(parsed(repository + rest)).toEqual(wanted);
  });

  it.each([
    ['?ref=a#b', 'ref conflicts: "b" vs "a"'],
    ['?ref=a&tag=b', 'ref conflicts: "a" vs "refs/tags/b"'],
    ['?branch=a#b', 'ref conflicts: "b" vs "refs/heads/a"'],
    ['?tag=a&branch=b', 'branch conflicts with tag'],
    ['?subdir=a#:b', 'subdir conflicts: "b" vs "a"'],
    ['?checksum=a&commit=b', 'checksum conflicts: "a" vs "b"'],
    ['?depth=1', 'unexpected query "depth"'],
    ['?=1', 'unexpected query ""'],
    ['?depth', 'query "depth" has no value'],
    ['?ref=', 'query "ref" has no value'],
    ['?ref=a&ref=a', 'query "ref" has multiple values'],
    ['?keep-git-dir=yes', 'invalid keep-git-dir value: "yes"'],
    ['?submodules=2', 'invalid submodules value: "2"'],
    ['?fetch-by-commit=x', 'invalid fetch-by-commit value: "x"'],
    ['?mtime=now', 'invalid mtime value: "now" (must be "checkout" or "commit")'],
    ['?checksum=xyz', 'invalid checksum xyz for Git URL, expected hex commit hash'],
    ['?fetch-by-commit', 'fetch-by-commit requires a checksum or a commit SHA ref'],
    ['?fetch-by-commit&checksum=abc', 'fetch-by-commit requires a full commit SHA checksum, got "abc"'],
  ])('refuses %s', (rest, message) => {
    expect(failureOf(() => parseGitReference(repository + rest))).toMatchObject({ code: 'INVALID_VALUE', message });
  });

  it.each([
    ...['#-x', '#--upload-pack=x', '?ref=a:b', '?ref=a%20b', '#a..b', '#a~1', '#a^', '#a*', '#a@%7B1%7D', '#/a', '#a/'],
    ...['#a//b', '#.a', '#a/.b', '#a.lock', '#@', '#a%00', '#a%0Ab', '?tag=-x/..'],
  ])('CVE-2019-13139: refuses what is no name of a ref: %s', rest => {
    expect(failureOf(() => parseGitReference(repository + rest)).code).toBe('INVALID_VALUE');
  });

  it.each([
    ...['https:///x.git', 'https://-x/x.git', 'ssh://-oProxyCommand=x/y', 'ssh://me@-x/y', '-x@host:y', 'ssh://-x@h/y'],
    ...[
      'git@-x:y',
      'ssh://me:pw@host/x',
      'git://me:pw@host/x',
      'https://host/a\nb.git',
      'git@host:a\u0000b',
      'git:///x',
    ],
  ])('refuses an address that a program could take for something else: %j', text => {
    const failure = failureOf(() => parseGitReference(text));
    expect(failure.code).toBe('INVALID_VALUE');
    expect(JSON.stringify(failure.details)).not.toContain('pw');
  });

  it('joins what the flags of ADD say', () => {
    expect(parsed(repository, { checksum: 'abc', keepGitDir: true })).toEqual({ checksum: 'abc', keepGitDir: true });
    expect(parsed(`${repository}?keep-git-dir=1&checksum=abc`, { checksum: 'abc', keepGitDir: true })).toEqual({
      checksum: 'abc',
      keepGitDir: true,
    });
    const kept = failureOf(() => parseGitReference(`${repository}?keep-git-dir=0`, { keepGitDir: true }));
    expect(kept).toMatchObject({ code: 'INVALID_VALUE', message: 'inconsistent keep-git-dir configuration' });
    const sums = failureOf(() => parseGitReference(`${repository}?checksum=ab`, { checksum: 'ac' }));
    expect(sums).toMatchObject({ code: 'INVALID_VALUE', message: 'checksum mismatch "ac" != "ab"' });
  });

  it('holds a commit to its checksum', () => {
    expect(parsed(`${repository}#${commit}`, { checksum: commit.slice(0, 7) })).toMatchObject({ ref: commit });
    const failure = failureOf(() => parseGitReference(`${repository}#${commit}`, { checksum: 'fff' }));
    expect(failure).toMatchObject({ code: 'DIGEST_MISMATCH', details: { expected: 'fff', actual: commit } });
  });

  it('says nothing of passwords', () => {
    const failure = failureOf(() => parseGitReference('https://me:hunter2@example.org/x.git?depth=1'));
    expect(JSON.stringify([failure.message, failure.details])).not.toContain('hunter2');
    const shown = formatGitReference(parseGitReference('https://me:hunter2@example.org/x.git#main:docs')!);
    expect(shown).toBe('https://REDACTED@example.org/x.git#main:docs');
  });

  it('never fails in another way, whatever it is given', () => {
    const piece = fc.constantFrom(
      'https://',
      'git@',
      'h',
      ':',
      '/',
      '.git',
      '?',
      '#',
      '&',
      '=',
      'ref',
      '-',
      '..',
      '%2',
      '@',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 4 })), { maxLength: 12 }), pieces => {
        const text = pieces.join('');
        try {
          const reference = parseGitReference(text);
          expect(reference !== undefined).toBe(isGitReference(text));
          if (reference === undefined) return;
          expect(reference.remote).not.toMatch(/^-|[\u0000-\u001f?#]/);
          expect(reference.ref ?? '').not.toMatch(/^-|[\u0000-\u0020:*]/);
          expect(reference.subdirectory?.split('/') ?? []).not.toContain('..');
        } catch (error) {
          expect(['INVALID_VALUE', 'DIGEST_MISMATCH']).toContain((error as { code?: string }).code);
        }
      }),
    );
  });

  it('reads what it shows', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
    fc.assert(
      fc.property(name, fc.option(name, { nil: undefined }), fc.array(name, { maxLength: 3 }), (path, ref, folders) => {
        const subdirectory = folders.length === 0 ? undefined : folders.join('/');
        const written = { remote: `https://example.org/${path}.git`, transport: 'https', ref, subdirectory } as const;
        expect({ ...written, ...parseGitReference(formatGitReference(written)) }).toEqual(written);
      }),
    );
  });

  it('takes time in proportion to the text', () => {
    const begin = performance.now();
    for (const text of ['a/'.repeat(32_000), 'a@'.repeat(32_000), '#'.repeat(65_000), '.git'.repeat(16_000)]) {
      failureOrNothing(() => parseGitReference(`https://h/${text}`));
      failureOrNothing(() => parseGitReference(`a@${text}`));
    }
    expect(performance.now() - begin).toBeLessThan(1000);
  });
});

describe('parseGitContext', () => {
  it('knows the short form of one host', () => {
    const wanted = { remote: 'https://github.com/owner/name', transport: 'https', ref: 'main', subdirectory: 'docs' };
    expect(parseGitContext('github.com/owner/name#main:docs')).toEqual(wanted);
    expect(parseGitContext('github.com/owner/name?tag=v1')).toMatchObject({ ref: 'refs/tags/v1' });
    expect(isGitContext('github.com/owner/name')).toBe(true);
    expect(isGitContext('github.org/owner/name')).toBe(false);
    expect(parseGitContext('some/folder')).toBeUndefined();
  });

  it('reads everything else as ADD does', () => {
    expect(parseGitContext(`${repository}#main`)).toEqual(parseGitReference(`${repository}#main`));
  });
});

function failureOrNothing(work: () => unknown): void {
  try {
    work();
  } catch {
    // Only the time counts.
  }
}
