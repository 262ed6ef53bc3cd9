import { describe, expect, it } from 'vitest';
import { BenchUsageError, benchUsage, parseBenchOptions } from './bench-options.js';

const choices = [
  { name: 'start', summary: 'first' },
  { name: 'pull', summary: 'second' },
  { name: 'curve', summary: 'third', onDemand: true },
];
const names = (...argv: string[]): readonly string[] => parseBenchOptions(argv, choices).names;

describe('the options of the bench', () => {
  it('choose workloads', () => {
    expect(names()).toEqual(['start', 'pull']);
    expect(names('pull', 'start')).toEqual(['start', 'pull']);
    expect(names('curve')).toEqual(['curve']);
    expect(names('--curve')).toEqual(['curve']);
    expect(names('--curve', 'pull')).toEqual(['pull', 'curve']);
    expect(names('--all')).toEqual(['start', 'pull', 'curve']);
  });

  it('know how often', () => {
    expect(parseBenchOptions([], choices)).toMatchObject({ quick: false, runs: 3, json: 'dist/bench.json' });
    expect(parseBenchOptions(['--quick'], choices).runs).toBe(2);
    expect(parseBenchOptions(['--quick', '--runs', '7', '--json', 'a'], choices)).toMatchObject({ runs: 7, json: 'a' });
  });

  it('refuse what they do not know', () => {
    const wrong = [
      ['--fast'],
      ['tea'],
      ['--runs', '0'],
      ['--runs', 'x'],
      ['--json'],
      ['--quick=yes'],
      ['--write-docs', 'pull'],
    ];
    for (const argv of wrong) expect(() => parseBenchOptions(argv, choices), argv.join(' ')).toThrow(BenchUsageError);
  });

  it('are explained', () => {
    for (const { name, summary } of choices) expect(benchUsage(choices)).toMatch(new RegExp(`${name} +${summary}`));
  });
});
