import { describe, expect, it } from 'vitest';
import { parseDockerfile } from '../../src/dockerfile/parser.js';
import { planStages, reachableStages } from '../../src/plan/graph.js';
import { planStage, scratchState } from '../../src/plan/lower.js';
import { type OutlinedStage, outlineOf } from '../../src/plan/outline.js';
import type { StageState } from '../../src/plan/step.js';
import { targetsOf } from '../../src/plan/targets.js';

const amd64 = { os: 'linux', architecture: 'amd64' };

function outline(text: string, { target, args = {} }: { target?: string; args?: Record<string, string> } = {}) {
  const { ast } = parseDockerfile(text, { file: 'Dockerfile' });
  const options = {
    buildArgs: new Map(Object.entries(args)),
    targetPlatform: amd64,
    buildPlatform: amd64,
    target,
    namedContexts: new Set<string>(),
  };
  const graph = planStages(ast, options);
  const states = new Map<number, StageState>();
  const stages = reachableStages(graph).map((index): OutlinedStage => {
    const { base } = graph.stages[index]!;
    const state = base.kind === 'stage' ? states.get(base.stage)! : scratchState(amd64);
    const plan = planStage(graph, index, { state, fromImage: false }, options);
    states.set(index, plan.state);
    return { index, plan };
  });
  return outlineOf(ast, graph, stages);
}

const args = (text: string, options?: Parameters<typeof outline>[1]) =>
  outline(text, options).args.map(({ name, value, range }) => `${range.start.line} ${name}=${value}`);

describe('outlineOf', () => {
  it('lists what the needed stages declare and what their FROM uses', () => {
    const text = [
      'ARG inherited=box',
      'ARG inherited2=box2',
      'ARG unused=abc${inherited2}',
      'ARG sfx="usy${inherited}"',
      'FROM b${sfx} AS first',
      'ARG FOO=123',
      'FROM alpine${unused} AS second',
      'ARG BAZ',
      'FROM scratch AS third',
      'ARG ABC=a',
      'FROM third AS target',
      'COPY --from=first /etc/passwd /',
      'FROM second',
    ].join('\n');
    expect(args(text, { target: 'target' })).toEqual(['1 inherited=box', '4 sfx=usybox', '6 FOO=123', '10 ABC=a']);
    expect(args(text)).toEqual(['2 inherited2=box2', '3 unused=abcbox2', '8 BAZ=undefined']);
  });

  it('has the values that are given', () => {
    const text = 'ARG a=1\nFROM scratch\nARG a\nARG b=$a c\nARG TARGETARCH\n';
    expect(args(text)).toEqual(['3 a=1', '4 b=1', '4 c=undefined', '5 TARGETARCH=amd64']);
    expect(args(text, { args: { a: '2', c: '3' } })).toEqual(['3 a=2', '4 b=2', '4 c=3', '5 TARGETARCH=amd64']);
  });

  it('gives the target the first word about an argument', () => {
    const text = 'FROM scratch AS a\n# x of a\nARG x=1\nFROM scratch\n# x of the target\nARG x=2\nCOPY --from=a / /\n';
    expect(outline(text).args).toMatchObject([{ name: 'x', value: '2', description: 'of the target' }]);
  });

  it('lists an argument that comes from the stage below once', () => {
    expect(args('FROM scratch AS a\nARG x=1\nFROM a\nLABEL x=$x\n')).toEqual(['2 x=1']);
  });

  it('asks for what any RUN needs', () => {
    const text = 'FROM scratch\nRUN --mount=type=secret,id=a x\nRUN --mount=type=secret,id=a,required=true x\n';
    expect(outline(text).secrets).toMatchObject([{ id: 'a', required: true, range: { start: { line: 2 } } }]);
  });
});

describe('targetsOf', () => {
  it('has no targets where there are no stages', () => {
    expect(targetsOf(parseDockerfile('ARG a\n', { file: 'Dockerfile' }).ast)).toEqual([]);
  });

  it('takes the description by the name in either case', () => {
    const text = '# Build one\nFROM a AS Build\n# other two\nFROM --platform=$BUILDPLATFORM $b AS Other\n';
    expect(targetsOf(parseDockerfile(text, { file: 'Dockerfile' }).ast)).toMatchObject([
      { name: 'build', default: false, description: 'one', base: 'a' },
      { name: 'other', default: true, description: 'two', base: '$b', platform: '$BUILDPLATFORM' },
    ]);
  });
});
