import { describe, expect, it } from 'vitest';
import type { Machine } from '../machine.js';
import type { Measured } from '../measure.js';
import type { Comparison, CompressionTable, Curve } from '../section.js';
import { barsSvg } from './bars-svg.js';
import type { BenchReport } from './bench-report.js';
import { curveSvg } from './curve-svg.js';
import { replacePart } from './docs-text.js';
import { comparisonText, compressionText, curveText, headerText } from './markdown.js';
import { digits } from './numbers.js';
import { growth, unitCosts } from './unit-cost.js';

function runs(name: string, ...seconds: readonly number[]): Measured {
  return { name, samples: seconds.map(one => ({ seconds: one, cpuSeconds: one * 2, peakMiB: 1234 })) };
}

const limit = { kind: 'time', contender: 'lading build', of: ['a | b'], most: 0.2 } as const;
const comparison: Comparison = {
  ...{ kind: 'comparison', name: 'first', title: 'First <build>' },
  measured: [
    runs('lading build', 1, 2, 3),
    { ...runs('a | b', 10, 10, 10), note: 'The client alone' },
    runs('c', 30, 90, 60),
  ],
  absent: [{ name: 'd', missing: ['dockerd', 'root'] }],
  verdicts: [
    { limit, value: 0.2, verdict: 'ok' },
    { limit: { ...limit, of: ['d'], allowance: 0.1 }, verdict: 'not measured' },
    { limit: { kind: 'memory', contender: 'lading build', mostMiB: 300 }, value: 1234, verdict: 'over' },
  ],
};
const curve: Curve = {
  ...{ kind: 'curve', name: 'curve', title: 'Files', unit: 'file', floor: 0.5 },
  points: [
    { amount: 1_000, measured: [runs('lading build', 0.6), runs('tar', 0.1)] },
    { amount: 10_000, measured: [runs('lading build', 1.3), runs('tar', 1)] },
    { amount: 1_000_000, measured: [runs('lading build', 100.5), runs('tar', 90)] },
  ],
};
const machine: Machine = {
  ...{ cpu: 'Abacus', cores: 2, memoryGiB: 8, system: 'Linux 6.1 x64', load: 0.1, node: 'v20.0.0', lading: '1.0.0' },
  ...{ programs: { pigz: '2.6' }, absent: ['crane', 'umoci'] },
};
const report: BenchReport = { quick: false, runs: 3, machine, sections: [comparison], failures: [] };

describe('the report of the bench', () => {
  it('writes numbers with three digits', () => {
    expect([0, 0.0123, 0.123, 1.234, 12.34, 123.4, 1234].map(digits)).toEqual([
      '0',
      '0.012',
      '0.123',
      '1.23',
      '12.3',
      '123',
      '1234',
    ]);
  });

  it('says where and with what it was made, and what is missing', () => {
    const text = headerText(report);
    for (const part of [
      '2 x Abacus, 8 GiB',
      'pigz 2.6',
      'crane (not in Debian)',
      'umoci (Debian package umoci)',
      '3 runs',
    ])
      expect(text).toContain(part);
    expect(text).not.toContain('busy');
    expect(headerText({ ...report, machine: { ...machine, load: 3 } })).toContain('busy');
  });

  it('shows limits and verdicts', () => {
    const text = comparisonText(report);
    expect(text).toContain('| First <build> | `lading build` / `a \\| b` | 0.200 | at most 0.200 | ok |');
    expect(text).toContain(
      '(`lading build` - 100 ms) / `d` |  | at most 0.200 | not measured (not here: dockerd, root) |',
    );
    const untold: Comparison = { ...comparison, verdicts: [{ ...comparison.verdicts[2]!, verdict: 'not measured' }] };
    expect(comparisonText({ ...report, sections: [untold] })).toContain('| not measured (not here: time) |');
    expect(text).toContain('| peak memory of `lading build` | 1234 MiB | at most 300 MiB | **over** |');
  });

  it('shows times, CPU, memory and ratios of every command, and its notes', () => {
    const text = comparisonText(report);
    expect(text).toContain('| `lading build` | 2.00 | 1.00 to 3.00 | 4.00 | 1,234 |  |');
    expect(text).toContain('| `a \\| b` \\* | 10.0 | 10.0 to 10.0 | 20.0 | 1,234 | 0.200 |');
    expect(text).toContain('\\* The client alone.');
    expect(text).toContain('Left out: `d` (needs dockerd, root).');
  });

  it('names what failed', () => {
    expect(comparisonText({ ...report, failures: [{ name: 'pull', reason: 'no\nluck' }] })).toContain(
      '**pull failed:** no\n',
    );
  });

  it('takes the start off before it tells the cost of a unit, and judges the growth', () => {
    expect(unitCosts(curve, 0).map(Math.round)).toEqual([100, 80, 100]);
    expect(unitCosts(curve, 1).map(Math.round)).toEqual([100, 100, 90]);
    expect(growth(curve)).toBeCloseTo(1.25);
    expect(curveText([curve])).toContain('| 1,000,000 | 101 | 100 | 1,234 | 90.0 | 90.0 | 1,234 |');
    expect(curveText([{ ...curve, floor: 0.55 }])).toContain('**over**');
  });

  it('sets size against time', () => {
    const table: CompressionTable = {
      ...{
        kind: 'compression',
        name: 'compression',
        title: 'First build',
        uncompressed: 4e6,
        absent: ['zstd: too old'],
      },
      rows: [{ bytes: 1e6, measured: runs('gzip 6', 2) }],
    };
    expect(compressionText(table)).toContain('| gzip 6 | 2.00 | 2.00 to 2.00 | 4.00 | 1,234 | 1.00 | 25.0 % |');
    expect(compressionText(table)).toContain('Without zstd: too old.');
  });

  it('draws bars that are true to their ratios, and cuts those that are too long', () => {
    const svg = barsSvg([comparison, { ...comparison, measured: [] }]);
    expect(
      Array.from(svg.matchAll(/<rect class="(\w+)" x="\d+" y="\d+" width="([\d.]+)"/g), ([, kind, w]) => [kind, w]),
    ).toEqual([
      ['ours', '43'],
      ['theirs', '215'],
      ['theirs', '416'],
      ['theirs', '10'],
    ]);
    expect(svg).toContain('First &lt;build&gt;');
    expect(svg).toContain("60.0 s, 30.0 times lading's");
  });

  it('draws a curve for each command, higher where a unit costs more', () => {
    const svg = curveSvg([curve]);
    const lines = Array.from(
      svg.matchAll(/<polyline class="line (\w+)-line" points="([^"]+)"/g),
      ([, kind, points]) => ({
        kind,
        heights: points!.split(' ').map(point => Number(point.split(',')[1])),
      }),
    );
    expect(lines.map(({ kind }) => kind)).toEqual(['ours', 'theirs']);
    const [first, second, third] = lines[0]!.heights;
    expect(first).toBe(third);
    expect(second).toBeGreaterThan(first!);
    expect(svg).not.toMatch(/NaN|undefined/);
  });

  it('replaces its own part of a document and nothing else', () => {
    const document =
      'A\n<!-- bench x: begin -->\nold\n<!-- bench x: end -->\nB\n<!-- bench y: begin -->\n<!-- bench y: end -->\n';
    const once = replacePart(document, 'x', 'new\n');
    expect(once).toBe(document.replace('\nold\n', '\n\nnew\n\n'));
    expect(replacePart(once, 'x', 'new')).toBe(once);
    expect(() => replacePart(document, 'z', 'new')).toThrow(/no part/);
  });
});
