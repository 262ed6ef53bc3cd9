/**
 * `npm run bench`: lading beside what the machine has, in alternation, as whole processes. What counts is the ratio within
 * one run; absolute times move with the machine. `--help` tells what can be asked for.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type BenchOptions, BenchUsageError, benchUsage, parseBenchOptions } from './bench-options.js';
import { thisMachine } from './machine.js';
import { findPrograms } from './peers/programs.js';
import { barsSvg } from './report/bars-svg.js';
import { type BenchReport, sectionsOf } from './report/bench-report.js';
import { curveSvg } from './report/curve-svg.js';
import { comparisonText, compressionText, curveText, headerText } from './report/markdown.js';
import { growth, mostGrowth } from './report/unit-cost.js';
import { writeDocs } from './report/write-docs.js';
import type { Section } from './section.js';
import { openWorkbench } from './workbench.js';
import { workloads } from './workloads/workloads.js';

process.exitCode = await main(process.argv.slice(2));

/** The exit code: 0, 1 for a workload that failed or with `--check` a limit that is exceeded, 2 for misuse, 130. */
async function main(argv: readonly string[]): Promise<number> {
  let options: BenchOptions;
  try {
    options = parseBenchOptions(argv, workloads);
  } catch (error) {
    if (!(error instanceof BenchUsageError)) throw error;
    process.stderr.write(`bench: ${error.message}\n\n${benchUsage(workloads)}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(benchUsage(workloads));
    return 0;
  }
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupt.abort());
  const report = await run(options, interrupt.signal);
  if (interrupt.signal.aborted) return 130;
  process.stdout.write(reportText(report));
  if (report.failures.length > 0) return 1;
  if (options.writeDocs) await writeDocs(report);
  return options.check && exceedsLimit(report) ? 1 : 0;
}

/** Runs the workloads one after the other; a failure of one is told at the end and does not take the others along. */
async function run(options: BenchOptions, signal: AbortSignal): Promise<BenchReport> {
  const { quick, runs, names } = options;
  const tell = (line: string): void => void process.stderr.write(`${line}\n`);
  const programs = await findPrograms();
  const machine = await thisMachine(programs);
  const sections: Section[] = [];
  const failures: Array<{ name: string; reason: string }> = [];
  const report: BenchReport = { quick, runs, machine, sections, failures };
  const start = Date.now();
  const bench = await openWorkbench({ quick, runs, programs, signal, tell });
  try {
    for (const workload of workloads.filter(({ name }) => names.includes(name))) {
      try {
        sections.push(...(await workload.run(bench)));
      } catch (error) {
        if (signal.aborted) return report;
        tell(`${workload.name} failed: ${(error as Error).stack}`);
        failures.push({ name: workload.name, reason: (error as Error).message });
      }
      await save(options, report);
    }
  } finally {
    tell(signal.aborted ? 'interrupted; putting everything away' : 'putting everything away');
    await bench.close();
  }
  tell(`done in ${Math.round((Date.now() - start) / 1000)} s`);
  return report;
}

function exceedsLimit(report: BenchReport): boolean {
  const over = sectionsOf(report, 'comparison').some(one => one.verdicts.some(({ verdict }) => verdict === 'over'));
  return over || sectionsOf(report, 'curve').some(one => growth(one) > mostGrowth);
}

/** After every workload, so that a long run that comes to no end was not in vain. */
async function save({ json, svg }: BenchOptions, report: BenchReport): Promise<void> {
  for (const file of [json, svg]) await mkdir(dirname(file), { recursive: true });
  await writeFile(json, `${JSON.stringify(report, undefined, 2)}\n`);
  const comparisons = sectionsOf(report, 'comparison');
  if (comparisons.length > 0) await writeFile(svg, barsSvg(comparisons));
  const curves = sectionsOf(report, 'curve');
  if (curves.length > 0) await writeFile(svg.replace(/(\.svg)?$/, '-curve.svg'), curveSvg(curves));
}

function reportText(report: BenchReport): string {
  const curves = sectionsOf(report, 'curve');
  const parts = [headerText(report), comparisonText(report)];
  if (curves.length > 0) parts.push(curveText(curves));
  parts.push(...sectionsOf(report, 'compression').map(compressionText));
  return `${parts.filter(Boolean).join('\n')}`;
}
