import { parseArgs } from 'node:util';

export interface BenchOptions {
  readonly quick: boolean;
  readonly runs: number;
  /** Names of the workloads, in the order in which they run. */
  readonly names: readonly string[];
  readonly json: string;
  readonly svg: string;
  /** Exit with 1 when a limit is exceeded. */
  readonly check: boolean;
  readonly writeDocs: boolean;
  readonly help: boolean;
}

/** What is to be known of a workload here. */
export interface Choice {
  readonly name: string;
  readonly summary: string;
  readonly onDemand?: boolean;
}

/** The command line cannot be understood. */
export class BenchUsageError extends Error {}

export function parseBenchOptions(argv: readonly string[], choices: readonly Choice[]): BenchOptions {
  const { values, positionals } = parse(argv);
  const known = choices.map(({ name }) => name);
  for (const name of positionals)
    if (!known.includes(name)) throw new BenchUsageError(`there is no workload "${name}"`);
  const asked = [...positionals, ...known.filter(name => values[name as 'curve'] === true)];
  const wanted = ({ name, onDemand }: Choice): boolean =>
    values.all || (asked.length > 0 ? asked.includes(name) : onDemand !== true);
  const quick = values.quick ?? false;
  const options: BenchOptions = {
    quick,
    runs: values.runs === undefined ? (quick ? 2 : 3) : positiveNumber(values.runs),
    names: choices.filter(wanted).map(({ name }) => name),
    json: values.json ?? 'dist/bench.json',
    svg: values.svg ?? 'dist/bench.svg',
    check: values.check ?? false,
    writeDocs: values['write-docs'] ?? false,
    help: values.help ?? false,
  };
  if (options.writeDocs && positionals.length > 0)
    throw new BenchUsageError('--write-docs puts a whole table in the place of the last one: name no workloads');
  return options;
}

export function benchUsage(choices: readonly Choice[]): string {
  const list = choices.map(({ name, summary, onDemand }) => `  ${name.padEnd(17)}${summary}${onDemand ? ' *' : ''}`);
  return `Usage: npm run bench -- [NAME...] [options]

Builds and moves images with lading beside the programs that are installed, in turn, and prints medians and ratios.

Workloads (* only when asked for):
${list.join('\n')}

Options:
  --quick        Small sizes and few runs: two minutes in all
  --runs N       Runs of each command that count [default: 3, quick 2]
  --all          All workloads
  --curve        The same as naming it
  --compression  The same as naming it
  --json FILE    Where the results go as JSON [default: dist/bench.json]
  --svg FILE     Where the picture goes [default: dist/bench.svg]
  --check        Exit with 1 when a limit is exceeded
  --write-docs   Put tables and pictures into docs/
  --help         Show this help
`;
}

function parse(argv: readonly string[]) {
  const flag = { type: 'boolean' } as const;
  const value = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        ...{ quick: flag, all: flag, curve: flag, compression: flag, check: flag, 'write-docs': flag, help: flag },
        ...{ runs: value, json: value, svg: value },
      },
    });
  } catch (error) {
    throw new BenchUsageError((error as Error).message);
  }
}

function positiveNumber(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1)
    throw new BenchUsageError(`--runs takes a number from 1 on, not "${text}"`);
  return number;
}
