import { describe, expect, it } from 'vitest';
import { parseDockerfile } from '../../src/dockerfile/parser.js';
import { epochSource } from '../../src/plan/epoch-source.js';
import type { EpochSource } from '../../src/plan/source-date-epoch.js';
import { failureOf, planOptions, type WrittenOptions } from './support.js';

function sourceOf(text: string, options?: WrittenOptions): EpochSource | undefined {
  return epochSource(parseDockerfile(text, { file: 'Dockerfile' }).ast, planOptions(options));
}

const stage = 'FROM scratch AS src\n';

function added(instructions: string, options?: WrittenOptions): EpochSource | undefined {
  return sourceOf(`ARG V=1\nARG SOURCE_DATE_EPOCH=src\n${stage}${instructions}\nFROM a`, options);
}

describe('epochSource', () => {
  it.each([
    ['FROM a', {}],
    ['ARG SOURCE_DATE_EPOCH\nFROM a', {}],
    ['ARG SOURCE_DATE_EPOCH=\nFROM a', {}],
    ['ARG SOURCE_DATE_EPOCH=7\nFROM a', {}],
    ['ARG SOURCE_DATE_EPOCH=context\nFROM a', { SOURCE_DATE_EPOCH: '7' }],
    ['ARG SOURCE_DATE_EPOCH=context\nFROM a', { SOURCE_DATE_EPOCH: '' }],
    ['FROM a\nARG SOURCE_DATE_EPOCH=context', {}],
  ])('is not asked for by %j with %j', (text, buildArgs) => {
    expect(sourceOf(text, { buildArgs })).toBeUndefined();
  });

  it('may be the context, whatever else is called so', () => {
    const namedContexts = ['context'];
    const text = 'ARG W=context\nARG SOURCE_DATE_EPOCH=$W\nFROM scratch AS context';
    expect(sourceOf(text, { namedContexts })).toEqual({ kind: 'context' });
    expect(sourceOf('FROM a', { buildArgs: { SOURCE_DATE_EPOCH: 'context' } })).toEqual({ kind: 'context' });
  });

  it.each([
    ['src', ['src'], 'src'],
    ['src', ['src::linux/amd64', 'src'], 'src::linux/amd64'],
    ['src', ['src::linux/arm64', 'src'], 'src'],
    ['debian', ['docker.io/library/debian:latest'], 'docker.io/library/debian:latest'],
  ])('%s may be one of the named contexts %j, before a stage', (epoch, namedContexts, name) => {
    const text = `ARG SOURCE_DATE_EPOCH=${epoch}\nFROM a AS ${epoch}`;
    expect(sourceOf(text, { namedContexts })).toEqual({ kind: 'named', name });
  });

  it('may be what a stage fetches', () => {
    expect(added('ADD https://example.org/a.tar /')).toMatchObject({ kind: 'http', url: 'https://example.org/a.tar' });
    expect(added('ARG V\nARG W=x$V\nADD --unpack http://h/$W /')).toMatchObject({ url: 'http://h/x1' });
    expect(added('ARG W=a\nADD http://h/$W /', { buildArgs: { W: 'b' } })).toMatchObject({ url: 'http://h/b' });
    const digest = `sha256:${'0'.repeat(64)}`;
    expect(added(`ADD --checksum=${digest} http://h/a /`)).toMatchObject({ kind: 'http', checksum: digest });
    expect(added('ADD --keep-git-dir https://h/a.git#v1:d /')).toMatchObject({
      kind: 'git',
      reference: { remote: 'https://h/a.git', ref: 'v1', subdirectory: 'd', keepGitDir: true },
      range: { start: { line: 4 } },
    });
    expect(sourceOf(`ARG B=scratch\nARG SOURCE_DATE_EPOCH=SRC\nFROM $B AS Src\nADD http://h/a /`)).toMatchObject({
      kind: 'http',
    });
  });

  it.each([
    ['COPY a /', 'does not meet source-only requirements: unsupported copy instruction', 4],
    ['ADD http://h/a /\nRUN x', 'does not meet source-only requirements: unsupported run instruction', 5],
    ['ADD http://h/a /\nADD http://h/a /', 'must contain exactly one remote ADD', 5],
    ['', 'must contain exactly one remote ADD', 3],
    ['ADD http://h/a http://h/b /', 'source must be a single HTTP(S) or Git ADD', 4],
    ['ADD a /', 'source must be a single HTTP(S) or Git ADD', 4],
    ['ADD <<X /\nX', 'source must be a single HTTP(S) or Git ADD', 4],
  ])('is none of a stage with %j', (instructions, problem, line) => {
    const failure = failureOf(() => added(instructions));
    expect(failure).toMatchObject({ code: 'DOCKERFILE_SYNTAX', place: { range: { start: { line } } } });
    expect(failure.message).toContain(problem);
  });

  it('is none of a stage that starts from something', () => {
    const failure = failureOf(() => sourceOf('ARG SOURCE_DATE_EPOCH=src\nFROM a AS src\nADD http://h/a /'));
    expect(failure).toMatchObject({ code: 'DOCKERFILE_SYNTAX', place: { range: { start: { line: 2 } } } });
  });

  it('says what is wrong with the one address, with its line', () => {
    const failure = failureOf(() => added('ADD https://h/a.git?depth=1 /'));
    expect(failure).toMatchObject({ code: 'INVALID_VALUE', place: { range: { start: { line: 4 } } } });
    expect(failureOf(() => added('ADD --checksum=x http://h/a /')).code).toBe('INVALID_VALUE');
  });

  it('refuses a name that nothing has, with the place where there is one', () => {
    const inFile = failureOf(() => sourceOf('ARG SOURCE_DATE_EPOCH=nobody\nFROM a'));
    expect(inFile).toMatchObject({ code: 'INVALID_VALUE', place: { range: { start: { line: 1 } } } });
    const outside = failureOf(() => sourceOf('FROM a', { buildArgs: { SOURCE_DATE_EPOCH: 'nobody' } }));
    expect(outside).toMatchObject({ code: 'INVALID_VALUE', place: undefined });
  });
});
