import { describe, expect, it } from 'vitest';
import {
  argsInForce,
  declareArg,
  envEntries,
  environmentList,
  replaceEntry,
  setVariable,
  stageScope,
} from '../../src/plan/scope.js';

describe('stageScope', () => {
  it('lets the variables of the image win over the arguments of the base', () => {
    const scope = stageScope(
      ['A=env', 'P=/bin'],
      [
        ['A', 'arg'],
        ['B', 'arg'],
        ['C', undefined],
      ],
    );
    expect(Object.fromEntries(scope.env)).toEqual({ A: 'env', B: 'arg', P: '/bin' });
    expect(argsInForce(scope)).toEqual(['A=env', 'B=arg', 'C=']);
  });

  it('takes the later of equal names, and entries without a value', () => {
    const scope = stageScope(['A=1', 'EMPTY', 'A=2', '=x', 'E=a=b'], []);
    expect(Object.fromEntries(scope.env)).toEqual({ A: '2', EMPTY: '', '': 'x', E: 'a=b' });
  });
});

describe('declareArg', () => {
  it('keeps the value when the name is declared again without one', () => {
    const scope = stageScope([], []);
    declareArg(scope, 'A', '1');
    declareArg(scope, 'B', undefined);
    declareArg(scope, 'A', undefined);
    expect(argsInForce(scope)).toEqual(['A=1', 'B=']);
    expect(environmentList(scope.env)).toEqual(['A=1']);
  });

  it('shows the value that ENV has given since', () => {
    const scope = stageScope([], []);
    declareArg(scope, 'A', '1');
    setVariable(scope.env, 'A', '2');
    expect(argsInForce(scope)).toEqual(['A=2']);
  });

  it('keeps what only describes the build out of the environment', () => {
    const scope = stageScope([], []);
    declareArg(scope, 'BUILDKIT_SBOM_SCAN_STAGE', 'true');
    expect(argsInForce(scope)).toEqual(['BUILDKIT_SBOM_SCAN_STAGE=true']);
    expect(scope.env.size).toBe(0);
  });

  it('takes any name', () => {
    const scope = stageScope([], []);
    for (const name of ['__proto__', 'constructor', '']) declareArg(scope, name, 'x');
    expect(environmentList(scope.env)).toEqual(['__proto__=x', 'constructor=x', '=x']);
  });
});

describe('setVariable', () => {
  it('moves a name that is set again to the end', () => {
    const env = new Map([
      ['A', '1'],
      ['B', '2'],
    ]);
    setVariable(env, 'A', '3');
    expect(environmentList(env)).toEqual(['B=2', 'A=3']);
  });
});

describe('replaceEntry', () => {
  it.each([
    [['A=1', 'B=2'], 'A', '3', ['A=3', 'B=2']],
    [['A=1', 'A=2'], 'A', '3', ['A=3', 'A=2']],
    [['AB=1'], 'A', '3', ['AB=1', 'A=3']],
    [['A'], 'A', '', ['A=']],
    [[], '', 'v', ['=v']],
  ])('%j with %s=%s', (entries, name, value, result) => {
    const changed = envEntries(entries);
    replaceEntry(changed, name, value);
    expect(changed.list).toEqual(result);
  });
});
