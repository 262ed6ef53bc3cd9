import type { Limit, Verdict } from '../limit.js';
import type { Measured } from '../measure.js';
import { sourceOf } from '../peers/programs.js';
import type { Comparison, CompressionTable, Curve } from '../section.js';
import { median, pairedRatio } from '../statistics.js';
import { type BenchReport, sectionsOf } from './bench-report.js';
import { digits, grouped } from './numbers.js';
import { growth, mostGrowth, unitCosts } from './unit-cost.js';

/** One Markdown table; a pipe in a cell would end the cell, so it is escaped. */
function table(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return `${[line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')}\n`;
}

/** Where it ran, with what, and without what. */
export function headerText({ machine, quick, runs }: BenchReport): string {
  const programs = Object.entries(machine.programs).map(([name, version]) => `${name} ${version}`);
  const lines = [
    `Machine: ${machine.cores} x ${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.system}.`,
    `lading ${machine.lading} on Node ${machine.node}; ${programs.join(', ')}.`,
  ];
  if (machine.absent.length > 0)
    lines.push(`Not here: ${machine.absent.map(name => `${name} (${sourceOf(name)})`).join(', ')}.`);
  lines.push(
    `Medians of ${runs} ${runs === 1 ? 'run' : 'runs'} in alternation${quick ? ' with the small sizes of `--quick`; the limits are meant for the full ones' : ''}.`,
  );
  if (machine.load > machine.cores / 2)
    lines.push(`The machine was busy with something else (load ${machine.load}): these figures say little.`);
  return `${lines.join('\n')}\n`;
}

/** The comparisons: limits first, then every command. */
export function comparisonText(report: BenchReport): string {
  const comparisons = sectionsOf(report, 'comparison');
  const parts: string[] = [];
  const judged = comparisons.flatMap(one => one.verdicts.map(verdict => limitRow(one, verdict)));
  if (judged.length > 0) parts.push(table(['workload', 'what is compared', 'measured', 'limit', ''], judged));
  if (comparisons.length > 0) {
    const head = ['workload', 'command', 'median s', 'least and most s', 'CPU s', 'peak MiB', 'lading / it'];
    const notes = [...new Set(comparisons.flatMap(one => one.measured.flatMap(({ note }) => note ?? [])))];
    const rows = comparisons.flatMap(one => commandRows(one, notes));
    parts.push(table(head, rows), ...notes.map((note, i) => `${noteMark(i)} ${note}.\n`));
    const absent = new Map(comparisons.flatMap(one => one.absent.map(({ name, missing }) => [name, missing])));
    const left = Array.from(absent, ([name, missing]) => `\`${name}\` (needs ${missing.join(', ')})`);
    if (left.length > 0) parts.push(`Left out: ${left.join(', ')}.\n`);
  }
  for (const { parts: inside } of sectionsOf(report, 'in-process'))
    parts.push(inside.map(one => `- ${one.title}: ${digits(median(one.milliseconds))} ms\n`).join(''));
  for (const { name, reason } of report.failures) parts.push(`**${name} failed:** ${reason.split('\n')[0]}\n`);
  return parts.join('\n');
}

function limitRow({ title, absent }: Comparison, { limit, value, verdict }: Verdict): string[] {
  const most = limit.kind === 'time' ? digits(limit.most) : `${limit.mostMiB} MiB`;
  const measured = value === undefined ? '' : limit.kind === 'time' ? digits(value) : `${value} MiB`;
  const word = verdict === 'over' ? '**over**' : verdict;
  const why = verdict === 'not measured' ? ` (not here: ${missingFor(limit, absent).join(', ')})` : '';
  return [title, limitText(limit), measured, `at most ${most}`, `${word}${why}`];
}

/** What kept a limit from being measured. Memory that nobody told, of a contender that is here, would have come from GNU time. */
function missingFor(limit: Limit, absent: Comparison['absent']): string[] {
  const names = limit.kind === 'time' ? [limit.contender, ...limit.of] : [limit.contender];
  const missing = absent.filter(({ name }) => names.includes(name)).flatMap(one => one.missing);
  return missing.length === 0 ? ['time'] : [...new Set(missing)];
}

/** What the number of a limit is: `A / B`, or `peak memory of A`. */
export function limitText(limit: Limit): string {
  if (limit.kind === 'memory') return `peak memory of \`${limit.contender}\``;
  const { contender, allowance, of } = limit;
  const ours = allowance === undefined ? `\`${contender}\`` : `(\`${contender}\` - ${allowance * 1000} ms)`;
  const theirs = of.map(name => `\`${name}\``);
  return `${ours} / ${theirs.length === 1 ? theirs[0] : `the slower of ${theirs.join(' and ')}`}`;
}

function commandRows({ title, measured }: Comparison, notes: readonly string[]): string[][] {
  const ours = measured[0];
  return measured.map((one, i) => [
    title,
    `\`${one.name}\`${one.note === undefined ? '' : ` ${noteMark(notes.indexOf(one.note))}`}`,
    ...figures(one),
    i === 0 ? '' : digits(pairedRatio(secondsOf(ours!), secondsOf(one))),
  ]);
}

/** One asterisk for the first note, two for the second. */
function noteMark(index: number): string {
  return '\\*'.repeat(index + 1);
}

export function secondsOf({ samples }: Measured): number[] {
  return samples.map(({ seconds }) => seconds);
}

/** Median, least and most seconds, CPU seconds, peak. */
function figures(one: Measured): string[] {
  const seconds = secondsOf(one);
  const cpu = one.samples.flatMap(({ cpuSeconds }) => cpuSeconds ?? []);
  const peaks = one.samples.flatMap(({ peakMiB }) => peakMiB ?? []);
  return [
    digits(median(seconds)),
    `${digits(Math.min(...seconds))} to ${digits(Math.max(...seconds))}`,
    cpu.length === 0 ? '' : digits(median(cpu)),
    peaks.length === 0 ? '' : grouped(Math.max(...peaks)),
  ];
}

/** What a unit costs in each size, after the cost of starting is taken off. */
export function curveText(curves: readonly Curve[]): string {
  return curves.map(curveTable).join('\n');
}

function curveTable(curve: Curve): string {
  const { title, unit, points, floor } = curve;
  const names = points[0]?.measured.map(({ name }) => name) ?? [];
  const cost = unit === 'file' ? 'µs a file' : 'ms a MB';
  const costs = names.map((_, i) => unitCosts(curve, i));
  const head = [unit === 'file' ? 'files' : 'MB', ...names.flatMap(name => [`\`${name}\` s`, cost, 'peak MiB'])];
  const rows = points.map(({ amount, measured }, point) => [
    grouped(amount),
    ...measured.flatMap((one, i) => {
      const [seconds, , , peak] = figures(one);
      return [seconds!, digits(costs[i]![point]!), peak!];
    }),
  ]);
  const factor = growth(curve);
  return [
    `${title}. A build of one empty file takes ${digits(floor)} s, which is taken off before a cost is told.\n`,
    table(head, rows),
    `Growth of the cost for lading, the last over the lowest before: ${digits(factor)} (at most ${mostGrowth}: ${factor > mostGrowth ? '**over**' : 'ok'}).\n`,
  ].join('\n');
}

/** Size against time. */
export function compressionText({ title, uncompressed, rows, absent }: CompressionTable): string {
  const head = ['compression', 'median s', 'least and most s', 'CPU s', 'peak MiB', 'MB', 'of the uncompressed layer'];
  const body = rows.map(({ bytes, measured }) => [
    measured.name,
    ...figures(measured),
    digits(bytes / 1e6),
    `${((bytes / uncompressed) * 100).toFixed(1)} %`,
  ]);
  return [`${title}:\n`, table(head, body), ...absent.map(line => `Without ${line}.\n`)].join('\n');
}
