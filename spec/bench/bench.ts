/**
 * `npm run bench`: lading beside what the machine has, in alternation, as whole processes. What counts is the ratio of the
 * medians in one run; absolute times move with the machine. `--quick` makes everything smaller.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { type Contender, type Measured, measure, median, ratio } from './measure.js';
import { measureParts } from './parts.js';
import { largeFile, manyFiles } from './workloads.js';

interface Result {
  readonly title: string;
  readonly against: string;
  readonly limit?: string | undefined;
  readonly measured: readonly Measured[];
}

const bin = join(process.cwd(), 'dist/cli/bin.js');
const quick = process.argv.includes('--quick');
const runs = quick ? 3 : 5;
const folder = mkdtempSync(join(tmpdir(), 'lading-bench-'));
const dockerfile = 'FROM scratch\nWORKDIR /app\nCOPY . .\nCMD ["node", "app.js"]\n';

function lading(name: string, ...args: string[]): Contender {
  return { name, argv: [process.execPath, bin, ...args] };
}

function has(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

function startup(): Result {
  const measured = measure(
    [lading('lading --version', '--version'), { name: 'node -e 0', argv: [process.execPath, '-e', '0'] }],
    runs * 3,
  );
  return { title: 'Start', against: 'node -e 0', limit: '2.5', measured };
}

function firstBuild(context: string, title: string, limit?: string): Result {
  const root = join(folder, 'first');
  const forget = (): void => rmSync(root, { recursive: true, force: true });
  const contenders: Contender[] = [
    { ...lading('lading build', 'build', '--root', root, '-q', context), before: forget },
    { name: 'tar | gzip -6', argv: ['sh', '-c', `tar -C ${context} -c . | gzip -6 | sha256sum`] },
  ];
  if (has('pigz')) {
    contenders.push({
      name: 'tar | pigz -p2 -6',
      argv: ['sh', '-c', `tar -C ${context} -c . | pigz -p2 -6 | sha256sum`],
    });
  }
  const measured = measure(contenders, runs);
  forget();
  return { title, against: contenders.at(-1)!.name, limit, measured };
}

function unchanged(context: string, title: string): Result {
  const root = join(folder, 'again');
  const contenders: Contender[] = [
    lading('lading build, unchanged', 'build', '--root', root, '-q', context),
    { name: 'tar | sha256sum', argv: ['sh', '-c', `tar -C ${context} -c . | sha256sum`] },
    { name: 'node -e 0', argv: [process.execPath, '-e', '0'] },
  ];
  const measured = measure(contenders, runs);
  rmSync(root, { recursive: true, force: true });
  return { title, against: 'tar | sha256sum', measured };
}

/** A pipe would end the cell of a Markdown table. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function report(results: readonly Result[]): string {
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
  const lines = [`Machine: ${machine}; medians of ${runs} runs in alternation.`, ''];
  lines.push('| workload | command | median s | peak MiB | ratio to |', '|---|---|---|---|---|');
  for (const { title, against, measured, limit } of results) {
    const peer = measured.find(one => one.name === against)!;
    for (const one of measured) {
      const to =
        one === peer
          ? ''
          : `${ratio(one, peer).toFixed(2)} of ${cell(against)}${limit && one === measured[0] ? ` (limit ${limit})` : ''}`;
      lines.push(
        `| ${title} | ${cell(one.name)} | ${median(one.seconds).toFixed(2)} | ${one.memoryMiB ?? ''} | ${to} |`,
      );
    }
  }
  return `${lines.join('\n')}\n`;
}

try {
  const files = join(folder, 'files');
  const large = join(folder, 'large');
  manyFiles(files, quick ? 2_000 : 10_000, dockerfile);
  largeFile(large, (quick ? 256 : 2048) * 2 ** 20, dockerfile);
  const results = [
    startup(),
    firstBuild(files, quick ? '2,000 files' : '10,000 files'),
    unchanged(files, quick ? '2,000 files again' : '10,000 files again'),
    firstBuild(large, quick ? 'a file of 256 MiB' : 'a file of 2 GiB'),
  ];
  const parts = measureParts(runs);
  const table = `${report(results)}\n${parts.map(part => `- ${part.title}: ${part.milliseconds.toFixed(1)} ms`).join('\n')}\n`;
  mkdirSync(join(process.cwd(), 'dist'), { recursive: true });
  writeFileSync(join(process.cwd(), 'dist/bench.json'), `${JSON.stringify({ results, parts }, undefined, 2)}\n`);
  process.stdout.write(table);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
