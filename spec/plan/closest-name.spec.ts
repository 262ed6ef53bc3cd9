import { describe, expect, it } from 'vitest';
import { closestName } from '../../src/plan/closest-name.js';

describe('closestName', () => {
  it.each([
    ['PAHT', ['HOME', 'PATH'], 'PATH'],
    ['A', ['BCD', 'BC', 'B'], 'B'],
    ['U', ['P', 'E'], 'P'],
    ['path', ['PATH'], undefined],
    ['PATH', ['PATHS', 'PATH'], undefined],
    ['NAME', [], undefined],
    ['B', ['', 'C'], undefined],
  ])('%s among %j is %s', (name, known, expected) => {
    expect(closestName(name, new Map(known.map(one => [one, ''])))).toBe(expected);
  });

  it('does not search among very many', () => {
    const many = new Map(Array.from({ length: 2000 }, (_, i) => [`A${i}`, '']));
    expect(closestName('A', many)).toBeUndefined();
  });
});
