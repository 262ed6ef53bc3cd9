import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Instruction } from '../../src/dockerfile/ast.js';
import { formatExcerpt } from '../../src/dockerfile/excerpt.js';
import { formatAst } from '../../src/dockerfile/format-ast.js';
import { parseDockerfile, parseOnbuildTrigger } from '../../src/dockerfile/parser.js';

/** The instructions of a text without errors. */
function parse(text: string): readonly Instruction[] {
  const { ast, diagnostics } = parseDockerfile(text);
  expect(diagnostics.filter(diagnostic => diagnostic.severity === 'error')).toEqual([]);
  return ast.instructions;
}

function second(text: string): Instruction {
  return parse(`FROM scratch\n${text}`)[1]!;
}

describe('parseDockerfile', () => {
  it('gives FROM its parts', () => {
    const [from, named] = parse('FROM $A\nfrom --platform=$P b:1 aS Build.x_1-y');
    expect(from).toMatchObject({ kind: 'FROM', keyword: 'FROM', image: '$A' });
    expect(from).not.toHaveProperty('stageName');
    expect(named).toMatchObject({
      ...{ keyword: 'from', image: 'b:1', platform: '$P', asKeyword: 'aS' },
      ...{ stageName: 'build.x_1-y', stageNameWritten: 'Build.x_1-y' },
    });
  });

  it('gives RUN its command and flags', () => {
    expect(second('RUN a  "b" \\\n && c')).toMatchObject({
      command: { form: 'shell', text: 'a  "b"  && c' },
      mounts: [],
    });
    expect(second('RUN ["a", "b c"]')).toMatchObject({ command: { form: 'exec', argv: ['a', 'b c'] }, json: true });
    expect(second('RUN')).toMatchObject({ command: { form: 'shell', text: '' }, words: [] });
    expect(second('RUN []')).toMatchObject({ command: { form: 'exec', argv: [] } });
    expect(second('RUN --mount=a --mount=b --network=host --security=insecure --device=x a')).toMatchObject({
      ...{ mounts: ['a', 'b'], network: 'host', security: 'insecure', devices: ['x'] },
    });
  });

  it('gives COPY and ADD their arguments', () => {
    expect(second('COPY a b c/')).toMatchObject({
      ...{ sources: ['a', 'b'], destination: 'c/', link: false, parents: false, exclude: [] },
      ...{ from: undefined, chown: undefined, chmod: undefined },
    });
    expect(
      second('COPY --from=X --chown=1 --chmod=2 --link --parents --exclude=a --exclude=b ["x y", "/"]'),
    ).toMatchObject({
      ...{ sources: ['x y'], destination: '/', from: 'X', chown: '1', chmod: '2', link: true, parents: true },
      exclude: ['a', 'b'],
    });
    expect(second('ADD --unpack=false --keep-git-dir --checksum=c --link=false a b')).toMatchObject({
      ...{ unpack: false, keepGitDir: true, checksum: 'c', link: false },
    });
    expect(second('ADD a b')).toMatchObject({ unpack: undefined, keepGitDir: undefined, checksum: undefined });
  });

  it('gives ENV, LABEL and ARG their pairs', () => {
    expect(second('ENV a="b c" d=')).toMatchObject({
      pairs: [
        { key: 'a', value: '"b c"', legacy: false },
        { key: 'd', value: '', legacy: false },
      ],
    });
    expect(second('LABEL a b  "c"')).toMatchObject({ pairs: [{ key: 'a', value: 'b  "c"', legacy: true }] });
    const arg = second('ARG a b= c=d=e');
    expect(arg).toMatchObject({ args: [{ name: 'a' }, { name: 'b', default: '' }, { name: 'c', default: 'd=e' }] });
  });

  it('gives the other instructions their values', () => {
    expect(second('WORKDIR /a  b ')).toMatchObject({ value: '/a  b' });
    expect(second('EXPOSE 9 80 $A 443')).toMatchObject({
      values: ['$A', '443', '80', '9'],
      words: ['9', '80', '$A', '443'],
    });
    expect(second('VOLUME [" /a ", "/b"]')).toMatchObject({ values: ['/a', '/b'] });
    expect(second('SHELL ["a", "b"]')).toMatchObject({ shell: ['a', 'b'] });
    expect(second('CMD a b')).toMatchObject({ command: { form: 'shell', text: 'a b' } });
    expect(second('ENTRYPOINT []')).toMatchObject({ command: { form: 'exec', argv: [] } });
  });

  it('gives HEALTHCHECK its settings in nanoseconds', () => {
    expect(second('HEALTHCHECK none')).toMatchObject({ check: { type: 'none' } });
    const text =
      'HEALTHCHECK --interval=1m30s --timeout=1.5s --start-period=1h --start-interval=1ms --retries=3 CMD a b';
    expect(second(text)).toMatchObject({
      check: {
        ...{ type: 'cmd', command: { form: 'shell', text: 'a b' }, interval: 90e9, timeout: 1.5e9 },
        ...{ startPeriod: 3600e9, startInterval: 1e6, retries: 3 },
      },
    });
    expect(second('HEALTHCHECK --interval=0s --retries=0 cmd ["a"]')).toMatchObject({
      check: { command: { form: 'exec', argv: ['a'] }, interval: undefined, retries: undefined },
    });
  });

  it('gives ONBUILD its trigger and the instruction in it', () => {
    expect(second('onbuild   Copy --from=a b \\\n  c ')).toMatchObject({
      trigger: 'Copy --from=a b   c ',
      instruction: { kind: 'COPY', keyword: 'Copy', from: 'a', sources: ['b'], destination: 'c' },
      words: ['Copy', 'b', 'c'],
    });
    const trigger = 'RUN cat <<A <<"B"\none\nA\ntwo\nB';
    const onbuild = second(`ONBUILD ${trigger}\n`);
    expect(onbuild).toMatchObject({ trigger, instruction: { kind: 'RUN', heredocs: [{ name: 'A' }, { name: 'B' }] } });
    expect(parseOnbuildTrigger(trigger)).toMatchObject({
      kind: 'RUN',
      heredocs: [{ content: 'one\n' }, { content: 'two\n' }],
    });
  });

  it('reads here-documents', () => {
    const text = 'RUN 3<<-"A b" cat <<B\n\t# x \\\n\tA b\nFROM\r\n\nB\nUSER a';
    const [, run, user] = parse(`FROM scratch\n${text}`);
    expect(run).toMatchObject({
      heredocs: [
        { name: 'A b', fileDescriptor: 3, expand: false, chomp: true, content: '\t# x \\\n' },
        { name: 'B', fileDescriptor: 0, expand: true, chomp: false, content: 'FROM\r\n\n' },
      ],
      original: 'RUN 3<<-"A b" cat <<B',
      range: { start: { line: 2, column: 1 }, end: { line: 7, column: 1 } },
    });
    expect(user).toMatchObject({ range: { start: { line: 8 } } });
  });

  it('takes heredocs out of the sources, and the last content for all of a name', () => {
    expect(second('COPY a <<X b <<X /d\none\nX\ntwo\nX\n')).toMatchObject({
      sources: ['a', 'b'],
      destination: '/d',
      heredocs: [
        { name: 'X', content: 'two\n' },
        { name: 'X', content: 'two\n' },
      ],
    });
  });

  it('keeps comments, the keyword and the joined line', () => {
    const [from, run] = parse('# gone\n#\n# one \n\n  #two\n  From scratch\n# check=skip=A\nrUn a \\\n# in\n  b  ');
    expect(from).toMatchObject({ comments: ['one', 'two'], keyword: 'From', original: 'From scratch' });
    expect(run).toMatchObject({ comments: ['check=skip=A'], keyword: 'rUn', original: 'rUn a   b  ' });
  });

  it('keeps directives', () => {
    const { ast } = parseDockerfile('# syntax = docker/dockerfile:1 x\n# check=skip=all\n# escape=`\nFROM a', {
      file: 'x/y',
    });
    expect(ast).toMatchObject({
      directives: { syntax: 'docker/dockerfile:1', check: 'skip=all', escape: '`' },
      file: 'x/y',
      instructions: [{ range: { file: 'x/y', start: { line: 4 } } }],
    });
    expect(parseDockerfile('#!/bin/x\n# check=error=true\nFROM a').ast.directives).toEqual({
      ...{ escape: '\\', check: 'error=true', syntax: undefined },
    });
  });

  it('refuses frontends that it does not know, wherever they are asked for', () => {
    const errors = (text: string, syntax?: string) => parseDockerfile(text, { syntax }).diagnostics.length;
    expect(errors('# syntax=docker.io/docker/dockerfile-upstream:master\nFROM a')).toBe(0);
    expect(errors('# syntax=example.com/docker/dockerfile:1\nFROM a')).toBe(1);
    expect(errors('FROM a', 'example.com/x')).toBe(1);
    expect(errors('# syntax=example.com/x\nFROM a', 'docker/dockerfile:1@sha256:0')).toBe(0);
    expect(errors('// syntax=example.com/x\nFROM a')).toBe(2);
  });

  it('reports errors in the order of their places and goes on', () => {
    const { ast, diagnostics } = parseDockerfile('# escape=x\nFROM a\nCOPPY a b\nLABEL a=b \\\n\n c=d\nUSER\nRUN a');
    expect(diagnostics.map(({ range, severity }) => [range.start.line, severity])).toEqual([
      [1, 'error'],
      [3, 'error'],
      [6, 'warning'],
      [7, 'error'],
    ]);
    expect(ast.instructions.map(instruction => instruction.kind)).toEqual(['FROM', 'LABEL', 'RUN']);
  });

  // Anything worse than linear would not come back within the time that a test has.
  it('comes to an end with hostile text', () => {
    const hostile = [
      '<<A '.repeat(20_000),
      '$'.repeat(60_000),
      '--'.repeat(30_000),
      `[${'['.repeat(60_000)}`,
      '\\ '.repeat(30_000),
    ];
    for (const words of hostile) {
      for (const keyword of ['RUN', 'COPY', 'ENV', 'HEALTHCHECK', 'ONBUILD RUN', 'X']) {
        const { ast } = parseDockerfile(`FROM a\n${keyword} ${words.slice(0, 65_000)}\n`);
        expect(ast.instructions[0]?.kind).toBe('FROM');
      }
    }
  });
});

describe('parseOnbuildTrigger', () => {
  it('takes one instruction', () => {
    expect(parseOnbuildTrigger('ENV A=b')).toMatchObject({
      kind: 'ENV',
      range: { file: 'ONBUILD', start: { line: 1 } },
    });
  });

  for (const trigger of [
    '',
    '# x',
    'RUN a\nRUN b',
    'FROM a',
    'COPY a',
    'RUN <<EOF\n',
    'FOO',
    'ONBUILD ONBUILD RUN a',
    'x'.repeat(70_000),
  ]) {
    it(`refuses ${JSON.stringify(trigger.slice(0, 30))}`, () => {
      expect(() => parseOnbuildTrigger(trigger)).toThrow(expect.objectContaining({ code: 'DOCKERFILE_SYNTAX' }));
    });
  }
});

describe('properties', () => {
  const root = join(import.meta.dirname, '../../testdata/dockerfiles');
  const files = readdirSync(root)
    .map(name => readFileSync(join(root, name, 'Dockerfile'), 'utf8'))
    .filter(text => text.length < 2000);
  const fragment = fc.constantFrom(
    ...[
      'FROM',
      'RUN',
      'COPY',
      'ADD',
      'ENV',
      'ONBUILD',
      'HEALTHCHECK',
      'ARG',
      'AS',
      '--from=',
      '--',
      '<<EOF',
      'EOF',
      '<<-"E',
    ],
    ...[
      '\\\n',
      '\n',
      ' ',
      '\t',
      '#',
      '# escape=`\n',
      '`',
      '"',
      "'",
      '[',
      ']',
      '["a"]',
      '=',
      'a',
      '\r\n',
      '$',
      '\ufeff',
      '\u00a0',
      'é',
    ],
  );
  const mutated = fc
    .tuple(fc.constantFrom(...files), fc.array(fc.tuple(fc.nat(), fc.nat(8), fragment), { maxLength: 6 }))
    .map(([text, edits]) =>
      edits.reduce((current, [at, length, insert]) => {
        const start = current.length === 0 ? 0 : at % current.length;
        return current.slice(0, start) + insert + current.slice(start + length);
      }, text),
    );
  const texts = fc.oneof(
    mutated,
    fc.array(fragment, { maxLength: 30 }).map(fragments => fragments.join('')),
    fc.string({ unit: 'binary', maxLength: 200 }),
  );

  it('reads any text, with ranges in it that are in order and do not overlap', () => {
    fc.assert(
      fc.property(texts, text => {
        const { ast, diagnostics } = parseDockerfile(text);
        const lines = text.replace(/^\ufeff/, '').split('\n');
        let last = 0;
        for (const { range } of ast.instructions) {
          expect(range.start.line).toBeGreaterThan(last);
          expect(range.end.line).toBeGreaterThanOrEqual(range.start.line);
          last = range.end.line;
        }
        for (const { range } of [...ast.instructions, ...diagnostics]) {
          expect(range.end.line).toBeLessThanOrEqual(lines.length);
          for (const { line, column } of [range.start, range.end]) {
            expect(column).toBeGreaterThanOrEqual(1);
            expect(column).toBeLessThanOrEqual(Math.max(1, lines[line - 1]!.length));
          }
          expect(formatExcerpt(text, range)).toContain('>>>');
        }
        const starts = diagnostics.map(({ range }) => range.start.line);
        expect(starts).toEqual(starts.toSorted((a, b) => a - b));
        formatAst(ast);
      }),
      { numRuns: 3000 },
    );
  });

  it('says of every text either how to build it or why not', () => {
    fc.assert(
      fc.property(texts, text => {
        const { ast, diagnostics } = parseDockerfile(text);
        const builds = ast.instructions.some(instruction => instruction.kind === 'FROM');
        expect(builds || diagnostics.some(({ severity }) => severity === 'error')).toBe(true);
      }),
    );
  });
});
