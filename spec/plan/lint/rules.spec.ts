import { describe, expect, it } from 'vitest';
import { type LintExample, type LintRule, lintRules } from '../../../src/dockerfile/lint/rules.js';
import { lintAll } from '../support.js';

const rulesFor = ({ dockerfile, dockerignore, platform }: LintExample) => {
  const ignored = dockerignore === undefined ? {} : { dockerignore };
  const { warnings } = lintAll(dockerfile, { ...ignored, targetPlatform: platform ?? 'linux/amd64' });
  return [...new Set(warnings.map(({ rule }) => rule))];
};

describe('lintRules', () => {
  for (const [name, rule] of Object.entries<LintRule>(lintRules)) {
    it(`${name}: its bad example breaks it and no other`, () => expect(rulesFor(rule.bad)).toEqual([name]));

    it(`${name}: nothing is wrong with its good example`, () => expect(rulesFor(rule.good)).toEqual([]));

    it(`${name} can be skipped unless it is experimental`, () => {
      const { dockerfile } = rule.bad;
      const check = { ...rule.bad, dockerfile: `# check=skip=${name}\n${dockerfile.replace(/^# check.*\n/, '')}` };
      expect(rulesFor(check)).toEqual([]);
    });
  }

  it('are all that BuildKit has', () => expect(Object.keys(lintRules)).toHaveLength(22));
});
