import { describe, expect, it } from 'vitest';
import type { CheckOptions } from '../../../src/dockerfile/check-options.js';
import { applyChecks, checkOptionsOf } from '../../../src/dockerfile/lint/apply-checks.js';
import type { Finding } from '../../../src/dockerfile/lint/finding.js';
import { parseDockerfile } from '../../../src/dockerfile/parser.js';

const none: CheckOptions = { skip: [], experimental: [], error: false };

const found = (rule: string, line: number, comments: readonly string[] = []): Finding => {
  const at = { line, column: 1 };
  return { rule, severity: 'warning', message: 'text', range: { file: 'f', start: at, end: at }, comments };
};

const shown = (findings: readonly Finding[], options: CheckOptions = none) =>
  applyChecks(findings, options).warnings.map(({ rule, range }) => `${rule} ${range.start.line}`);

describe('applyChecks', () => {
  it('sorts by line, keeps the order within one, and says nothing twice', () => {
    const findings = [found('UndefinedVar', 3), found('StageNameCasing', 1), found('FromAsCasing', 1)];
    expect(shown([...findings, ...findings])).toEqual(['StageNameCasing 1', 'FromAsCasing 1', 'UndefinedVar 3']);
  });

  it('leaves out errors, and takes the comments off', () => {
    const error = { ...found('syntax', 1), severity: 'error' as const };
    const { warnings } = applyChecks([error, found('UndefinedVar', 2, ['text'])], none);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).not.toHaveProperty('comments');
  });

  it('skips rules', () => {
    const findings = [found('UndefinedVar', 1), found('StageNameCasing', 2)];
    expect(shown(findings, { ...none, skip: ['UndefinedVar', 'Unknown'] })).toEqual(['StageNameCasing 2']);
    expect(shown(findings, { ...none, skip: 'all' })).toEqual([]);
  });

  it('shows experimental rules where they are asked for, whatever is skipped', () => {
    const findings = [found('InvalidDefinitionDescription', 1)];
    expect(shown(findings)).toEqual([]);
    for (const experimental of ['all', ['InvalidDefinitionDescription']] as const) {
      expect(shown(findings, { skip: 'all', experimental, error: false })).toHaveLength(1);
    }
  });

  it.each([
    ['check=skip=UndefinedVar', 0],
    ['check = skip=UndefinedVar // why', 0],
    ['CHECK=skip=all', 0],
    ['check=skip=FromAsCasing,UndefinedVar;error=true', 0],
    ['check=skip=FromAsCasing', 1],
    ['check=skip = UndefinedVar', 1],
    ['check=nonsense', 1],
    ['check', 1],
    ['a check=skip=all', 1],
  ])('heeds %j above the instruction', (comment, count) => {
    const { warnings, failure } = applyChecks([found('UndefinedVar', 1, ['other', comment])], none);
    expect(warnings).toHaveLength(count);
    expect(failure).toBeUndefined();
  });

  it('heeds the first of several checks', () => {
    expect(shown([found('UndefinedVar', 1, ['check=skip=A', 'check=skip=all'])])).toHaveLength(1);
  });

  it('fails with the rules, sorted, at the first place', () => {
    const findings = [found('UndefinedVar', 3), found('StageNameCasing', 2), found('UndefinedVar', 4)];
    const { failure } = applyChecks(findings, { ...none, error: true });
    expect(failure).toMatchObject({
      code: 'LINT_FAILED',
      message: 'lint violation found for rules: StageNameCasing, UndefinedVar',
      details: { rules: ['StageNameCasing', 'UndefinedVar'] },
      place: { range: { start: { line: 2 } } },
    });
    expect(applyChecks([], { ...none, error: true }).failure).toBeUndefined();
    expect(applyChecks(findings, { ...none, skip: 'all', error: true }).failure).toBeUndefined();
  });
});

describe('checkOptionsOf', () => {
  const { ast } = parseDockerfile('# check=skip=all;error=true\nFROM a\n');

  it('reads the directive', () => expect(checkOptionsOf(ast)).toEqual({ ...none, skip: 'all', error: true }));

  it('takes the override instead of it, also an empty one', () => {
    expect(checkOptionsOf(ast, 'skip=A')).toEqual({ ...none, skip: ['A'] });
    expect(checkOptionsOf(ast, '')).toEqual(none);
  });

  it('refuses what it cannot read', () => {
    expect(() => checkOptionsOf(ast, 'nonsense')).toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }));
  });
});
