import { describe, expect, it } from 'vitest';
import { formatFinding } from '../../../src/dockerfile/lint/finding.js';
import { lintDockerfile } from '../../../src/dockerfile/lint/lint-dockerfile.js';
import { parseDockerfile } from '../../../src/dockerfile/parser.js';

const findings = (text: string) => {
  const { ast, diagnostics } = parseDockerfile(text);
  return lintDockerfile(ast, diagnostics);
};
const rules = (text: string) => findings(text).map(({ rule, range }) => `${rule} ${range.start.line}`);

describe('lintDockerfile', () => {
  it('looks at single instructions, then at the file', () => {
    expect(rules('FROM a as A\nmaintainer b\nFROM a AS a\n')).toEqual([
      'StageNameCasing 1',
      'FromAsCasing 1',
      'MaintainerDeprecated 2',
      'DuplicateStageName 3',
      'ConsistentInstructionCasing 2',
    ]);
  });

  it('goes no further than the first instruction that is refused', () => {
    expect(rules('FROM a AS A\nMAINTAINER b\nNOTHING\nMAINTAINER c\nworkdir /\n')).toEqual([
      'StageNameCasing 1',
      'MaintainerDeprecated 2',
    ]);
    expect(rules('')).toEqual([]);
  });

  it('lets comments speak about single instructions only', () => {
    const found = findings('FROM a AS b\n# check=skip=all\nFROM a AS B\n');
    const of = (name: string) => found.find(({ rule }) => rule === name);
    expect(of('StageNameCasing')).toMatchObject({ comments: ['check=skip=all'] });
    expect(of('DuplicateStageName')).not.toHaveProperty('comments');
  });

  it('lets no control character into a message', () => {
    expect(formatFinding(findings('FROM a\nMAINTAINER \x1b[2J\n')[0]!)).not.toContain('\x1b');
    expect(findings('FROM a\nMAINTAINER \x1b[2J\n')[0]!.hint).not.toContain('\x1b');
  });
});
