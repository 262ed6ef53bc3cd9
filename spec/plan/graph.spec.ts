import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/dockerfile/lint/finding.js';
import { parseDockerfile } from '../../src/dockerfile/parser.js';
import { isLadingError } from '../../src/errors/errors.js';
import { planStages, reachableStages, sourceDateEpoch, unusedBuildArgs } from '../../src/plan/graph.js';
import { failureOf, graphOf, planAll, planOptions } from './support.js';

const bases = (text: string, namedContexts?: string[]) =>
  graphOf(text, namedContexts && { namedContexts }).stages.map(stage => stage.base);

describe('planStages', () => {
  it('finds stages of earlier lines only, by their lower-case names', () => {
    expect(bases('FROM later\nFROM x AS Later\nFROM later\nFROM scratch AS scratch\nFROM scratch')).toEqual([
      { kind: 'image', reference: 'later' },
      { kind: 'image', reference: 'x' },
      { kind: 'stage', stage: 1 },
      { kind: 'scratch' },
      { kind: 'stage', stage: 3 },
    ]);
  });

  it('takes a name in capitals for an image, which it cannot be', () => {
    expect(failureOf(() => graphOf('FROM x AS base\nFROM Base'))).toMatchObject({
      code: 'DOCKERFILE_SYNTAX',
      hint: expect.stringContaining('base'),
    });
  });

  it('knows scratch by this word alone', () => {
    expect(bases('ARG B=scratch\nFROM $B\nFROM docker.io/library/scratch\nFROM scratch:latest')).toEqual([
      { kind: 'scratch' },
      { kind: 'image', reference: 'docker.io/library/scratch' },
      { kind: 'image', reference: 'scratch:latest' },
    ]);
  });

  it('lets a named context be what is no image name', () => {
    expect(bases('FROM Odd_Name\nFROM x AS y', ['Odd_Name', 'y'])).toEqual([
      { kind: 'image', reference: 'Odd_Name' },
      { kind: 'image', reference: 'y' },
    ]);
  });

  it('never takes scratch for a named context', () => {
    expect(bases('FROM scratch', ['scratch'])).toEqual([{ kind: 'scratch' }]);
  });

  it('takes the last of equal names for --from and the target', () => {
    const text = 'FROM a AS x\nFROM b AS x\nFROM c\nCOPY --from=X / /';
    expect(graphOf(text, { target: 'x' }).target).toBe(1);
    expect(graphOf(text).stages[2]!.dependsOn).toEqual([1]);
  });

  it('gives platforms', () => {
    const text =
      'FROM --platform=$BUILDPLATFORM a AS b\nFROM b\nFROM c\nFROM --platform=linux/s390x scratch\nFROM --platform=arm64 d';
    const { stages } = graphOf(text, { targetPlatform: 'linux/arm/v6', buildPlatform: 'linux/riscv64' });
    expect(stages.map(({ platform: { architecture, variant } }) => [architecture, variant])).toEqual([
      ['riscv64', undefined],
      ['riscv64', undefined],
      ['arm', 'v6'],
      ['arm', 'v6'],
      ['arm64', undefined],
    ]);
  });

  it.each([
    ['FROM $NOTHING'],
    ['FROM --platform=$NOTHING a'],
    ['FROM --platform=a/b/c/d a'],
    ['FROM some/UPPER'],
    ['FROM a:tag:tag'],
    ['FROM a\nCOPY --from=1 / /'],
    ['FROM a\nCOPY --from=-1 / /'],
    ['FROM a\nCOPY --from=99999999999999999999 / /'],
    ['FROM a\nCOPY --from=$x / /'],
    ['FROM a\nCOPY --from=Not/An/Image / /'],
    ['FROM a\nCOPY --from=0 / /'],
    ['FROM a AS a\nRUN --mount=from=a,target=/a true'],
    ['FROM a\nRUN --mount=from=Not/An/Image,target=/a true'],
    ['FROM a\nCOPY --from=1 / /\nFROM b\nCOPY --from=2 / /\nFROM c\nCOPY --from=0 / /'],
  ])('refuses %j', text => {
    const error = failureOf(() => graphOf(text));
    expect(error).toMatchObject({ code: 'DOCKERFILE_SYNTAX', place: { range: { file: 'Dockerfile' } } });
    expect(error.hint).toBeTruthy();
  });

  it('refuses what a parser has let through', () => {
    const directives = { escape: '\\' } as const;
    const empty = { file: 'Dockerfile', directives, instructions: [] };
    expect(failureOf(() => planStages(empty, planOptions())).code).toBe('DOCKERFILE_SYNTAX');
  });

  it('says at which line a word cannot be expanded', () => {
    for (const text of ['ARG A\nARG B=${A:?}\nFROM x', 'ARG A\nFROM ${A\nFROM x', 'FROM a\nFROM --platform=${A b']) {
      const error = failureOf(() => graphOf(text));
      expect(error).toMatchObject({ code: 'BAD_SUBSTITUTION' });
      expect(error.place?.range.start.line).toBe(2);
    }
  });

  it('knows targets by name, in any case', () => {
    const text = 'FROM a AS one\nFROM b AS two\nFROM c';
    expect(graphOf(text).target).toBe(2);
    expect(graphOf(text, { target: 'ONE' }).target).toBe(0);
    const error = failureOf(() => graphOf(text, { target: 'tow' }));
    if (!isLadingError(error, 'STAGE_UNKNOWN')) throw error;
    expect(error.details).toEqual({ name: 'tow', known: ['one', 'two'] });
    expect(error.message).toContain('two');
    for (const target of ['0', 'stage-2', '__proto__']) {
      expect(failureOf(() => graphOf(text, { target })).code).toBe('STAGE_UNKNOWN');
    }
  });

  it.each([
    ['FROM a', undefined, 'default'],
    ['FROM a AS b', undefined, 'b'],
    ['FROM a AS b\nFROM c', 'B', 'B'],
  ])('sets TARGETSTAGE for %j', (text, target, expected) => {
    const graph = graphOf(text, target === undefined ? {} : { target });
    expect(graph.scope.args.get('TARGETSTAGE')).toBe(expected);
  });

  it('refuses circles at every instruction that is on the way around', () => {
    const text = 'FROM x AS a\nCOPY --from=b / /\nFROM x AS b\nRUN --mount=from=c true\nFROM x AS c\nCOPY --from=b / /';
    expect(failureOf(() => graphOf(text))).toMatchObject({
      message: 'circular dependency detected on stage: a',
      place: { range: { start: { line: 2 } }, also: [{ start: { line: 4 } }, { start: { line: 6 } }] },
    });
    const self = failureOf(() => graphOf('FROM x AS a\nCOPY --from=a / /'));
    expect(self.place).toMatchObject({ range: { start: { line: 2 } }, also: [] });
  });

  it('stands circles and chains of many stages', () => {
    const count = 20_000;
    const chain = Array.from(
      { length: count },
      (_, i) => `FROM x\n${i + 1 < count ? `COPY --from=${i + 1} / /\n` : ''}`,
    );
    expect(graphOf(chain.join('')).stages).toHaveLength(count);
    const circle = `${chain.join('')}COPY --from=0 / /\n`;
    expect(failureOf(() => graphOf(circle)).code).toBe('DOCKERFILE_SYNTAX');
  });
});

describe('onFinding', () => {
  it('is told before planning fails', () => {
    const told: string[] = [];
    const { ast } = parseDockerfile('FROM --platform=linux/s390x x\nWORKDIR a\nFROM $NONE\n');
    const options = { ...planOptions(), onFinding: ({ rule }: Finding) => told.push(rule) };
    expect(failureOf(() => planStages(ast, options)).code).toBe('DOCKERFILE_SYNTAX');
    expect(told).toEqual(['InvalidDefaultArgInFrom', 'FromPlatformFlagConstDisallowed', 'UndefinedArgInFrom']);
  });
});

describe('reachableStages', () => {
  it('leaves out what the target does not need', () => {
    const text =
      'FROM a AS a\nFROM b AS unused\nFROM c AS c\nRUN --mount=from=a,target=/a true\nFROM c AS d\nCOPY --from=0 / /\nFROM d';
    expect(reachableStages(graphOf(text, { target: 'd' }))).toEqual([0, 2, 3]);
    expect(reachableStages(graphOf(text, { target: 'unused' }))).toEqual([1]);
  });
});

describe('sourceDateEpoch', () => {
  it.each([
    ['FROM a', {}, undefined],
    ['ARG SOURCE_DATE_EPOCH=7\nFROM a', {}, '7'],
    ['ARG E=7\nARG SOURCE_DATE_EPOCH=${E}0\nFROM a', {}, '70'],
    ['ARG SOURCE_DATE_EPOCH=7\nFROM a', { SOURCE_DATE_EPOCH: '8' }, '8'],
    ['ARG SOURCE_DATE_EPOCH=7\nFROM a', { SOURCE_DATE_EPOCH: '' }, undefined],
    ['ARG SOURCE_DATE_EPOCH=\nFROM a', {}, undefined],
    ['FROM a\nARG SOURCE_DATE_EPOCH=7', {}, undefined],
  ])('of %j with %j', (text, buildArgs, seconds) => {
    expect(sourceDateEpoch(graphOf(text, { buildArgs }))).toBe(seconds);
  });

  it('refuses other forms with the place where there is one', () => {
    const inFile = failureOf(() => graphOf('ARG A\nARG SOURCE_DATE_EPOCH=now\nFROM a'));
    expect(inFile).toMatchObject({ code: 'INVALID_VALUE', place: { range: { start: { line: 2 } } } });
    const buildArgs = { SOURCE_DATE_EPOCH: 'other' };
    expect(failureOf(() => graphOf('FROM scratch AS src', { buildArgs })).code).toBe('INVALID_VALUE');
  });

  it.each([
    ['from the file', 'ARG SOURCE_DATE_EPOCH=context\n', {}],
    ['from the caller', '', { SOURCE_DATE_EPOCH: 'context' }],
    ['from both', 'ARG SOURCE_DATE_EPOCH=7\n', { SOURCE_DATE_EPOCH: 'context' }],
  ])('is what was found where it leads, %s', (_, globals, buildArgs) => {
    const text = `${globals}FROM a\nARG SOURCE_DATE_EPOCH`;
    const found = planAll(text, { buildArgs, foundEpoch: { seconds: 42 } });
    expect(sourceDateEpoch(found.graph)).toBe('42');
    expect(found.plans.get(0)!.state.args).toEqual([['SOURCE_DATE_EPOCH', '42']]);
    const none = planAll(text, { buildArgs, foundEpoch: {} });
    expect(sourceDateEpoch(none.graph)).toBeUndefined();
    expect(none.plans.get(0)!.state.args).toEqual([['SOURCE_DATE_EPOCH', undefined]]);
  });
});

describe('unusedBuildArgs', () => {
  it('names what nothing declares', () => {
    const text = 'ARG GLOBAL\nFROM a AS unused\nARG IN_STAGE\nFROM a\nONBUILD ARG IN_TRIGGER=1';
    const names =
      'Z GLOBAL IN_STAGE IN_TRIGGER http_proxy No_Proxy TARGETARCH BUILDKIT_SYNTAX SOURCE_DATE_EPOCH A'.split(' ');
    const buildArgs = Object.fromEntries(names.map(name => [name, '']));
    expect(unusedBuildArgs(graphOf(text, { buildArgs }), planOptions({ buildArgs }))).toEqual(['A', 'Z']);
  });

  it('knows the arguments of triggers in base images', () => {
    const buildArgs = { T: '1', U: '1' };
    const { graph, plans } = planAll(
      'FROM a',
      { buildArgs },
      {
        os: 'linux',
        architecture: 'amd64',
        config: { OnBuild: ['ARG T'] },
        rootfs: { type: 'layers', diff_ids: [] },
      },
    );
    expect(unusedBuildArgs(graph, planOptions({ buildArgs }), plans.values())).toEqual(['U']);
  });
});
