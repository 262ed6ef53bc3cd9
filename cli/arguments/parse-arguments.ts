import yargs, { type Argv, type Options } from 'yargs';
import type { Command, Example, OptionTable } from '../command.js';
import { type CommandEntry, commands } from '../commands.js';
import { type GlobalArguments, globalOptions } from '../global-options.js';
import { UsageError } from '../usage-error.js';
import { scanArguments } from './option-scan.js';
import { suggest } from './suggest.js';

export type CommandArguments = GlobalArguments & Record<string, unknown>;

/** What stands for `-` on its way through yargs, which takes it for the start of an option. No argument can hold it. */
const loneDash = '\0';

/**
 * Reads the arguments of one command.
 * @throws UsageError
 */
export async function parseArguments(
  entry: CommandEntry,
  command: Command,
  argv: readonly string[],
): Promise<CommandArguments> {
  refuseForeign(entry, command, argv);
  const parser = commandParser(entry, command, 80);
  let failure: Error | undefined;
  parser.fail((message, error) => {
    // Without a message the error is one of ours or of yargs' own making; the first fault is the one to tell.
    failure ??= error instanceof UsageError ? error : usageFault(entry, message ?? error?.message);
    throw failure;
  });
  const spelled = argv.map(token => (token === '-' ? loneDash : token));
  const parsed = (await parser.parseAsync(spelled)) as unknown as Record<string, unknown>;
  if (failure !== undefined) throw failure;
  const args = Object.fromEntries(Object.entries(parsed).map(([key, value]) => [key, withDashes(value)]));
  return lastValues(args, { ...command.options, ...globalOptions });
}

export function wantsHelp(command: Command | undefined, argv: readonly string[]): boolean {
  const table = { ...command?.options, ...foreignOptions(command), ...globalOptions };
  return scanArguments(argv, table).options.some(({ name }) => name === 'help');
}

export async function commandHelp(entry: CommandEntry, command: Command, columns: number): Promise<string> {
  return await commandParser(entry, command, columns).getHelp();
}

const programExamples: readonly Example[] = [
  { line: 'lading build -t app:1.0 .', does: 'Build this folder into the store' },
  { line: 'lading build --help', does: 'What a command takes' },
];

/** The help of the program itself. */
export async function programHelp(columns: number): Promise<string> {
  const parser = configured(yargs([]).scriptName('lading'), columns).usage(
    '$0 COMMAND [options]\n\nBuilds, stores and moves OCI images: no daemon, no privilege.',
  );
  for (const { name, usage, describe } of commands) parser.command(`${name} ${usage}`.trim(), describe);
  return await parser
    .options(globalOptions)
    .option('version', { type: 'boolean', describe: 'Show the version' })
    .epilogue(examplesText(programExamples))
    .getHelp();
}

/** A global option that is not known, when there is no command to ask. */
export function refuseUnknownOptions(argv: readonly string[]): void {
  const known: OptionTable = { ...globalOptions, version: { type: 'boolean' } };
  for (const option of scanArguments(argv, known).options) {
    if (option.name === undefined) throw unknownOption(option.written, known, 'lading --help');
    if (option.valueMissing) throw valueMissingAt(option.written);
  }
}

function commandParser(entry: CommandEntry, command: Command, columns: number): Argv {
  // Within the builder, because groups are shown in the order in which they come to be.
  const build = (parser: Argv): Argv => {
    for (const [name, positional] of Object.entries(command.positionals)) parser.positional(name, positional);
    return parser
      .options(foreignOptions(command))
      .options(command.options)
      .group(Object.keys(command.options), 'Options:')
      .options(globalOptions)
      .group(Object.keys(globalOptions), 'Global options:');
  };
  return configured(yargs([]).scriptName(`lading ${entry.name}`), columns)
    .command(`$0 ${entry.usage}`.trim(), entry.describe, build)
    .epilogue(examplesText(command.examples));
}

function examplesText(examples: readonly Example[]): string {
  return `Examples:\n${examples.map(({ line, does }) => `  ${line}\n      ${does}`).join('\n')}`;
}

function configured(parser: Argv, columns: number): Argv {
  return parser
    .detectLocale(false)
    .exitProcess(false)
    .help(false)
    .version(false)
    .strict()
    .wrap(columns)
    .parserConfiguration({
      // `--no-cache` is an option of its own, and a value is the text that it is.
      'boolean-negation': false,
      'dot-notation': false,
      'greedy-arrays': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
    });
}

function refuseForeign(entry: CommandEntry, command: Command, argv: readonly string[]): void {
  const known = { ...command.options, ...globalOptions };
  const scanned = scanArguments(argv, { ...known, ...foreignOptions(command) });
  for (const { written, name, value, valueMissing } of scanned.options) {
    if (name === undefined) throw unknownOption(written, known, `lading ${entry.name} --help`);
    const foreign = Object.hasOwn(command.unsupported, name) ? command.unsupported[name] : undefined;
    if (foreign !== undefined && !(foreign.accepts?.(value) ?? false)) {
      throw new UsageError(`${written} is not supported: ${foreign.reason}`, foreign.instead, 'UNSUPPORTED');
    }
    if (valueMissing) throw valueMissingAt(written, entry);
  }
}

function valueMissingAt(written: string, entry?: CommandEntry): UsageError {
  const help = entry === undefined ? 'lading --help' : `lading ${entry.name} --help`;
  return new UsageError(`${written} needs a value`, `See "${help}".`);
}

function foreignOptions(command: Command | undefined): OptionTable {
  const entries = Object.entries(command?.unsupported ?? {});
  return Object.fromEntries(
    entries.map(([name, { value }]) => [name, { type: value ? 'string' : 'boolean', hidden: true }]),
  );
}

function unknownOption(written: string, known: OptionTable, help: string): UsageError {
  const names = Object.keys(known).filter(name => name.length > 1);
  const near = written.startsWith('--') ? suggest(written.slice(2), names) : undefined;
  return new UsageError(
    `there is no option ${written}`,
    near === undefined ? `See "${help}" for what there is.` : `Did you mean --${near}?`,
  );
}

/** yargs' complaints in the words of this program. */
function usageFault(entry: CommandEntry, message = 'the arguments cannot be read'): UsageError {
  const usage = `Usage: lading ${`${entry.name} ${entry.usage}`.trim()}. See "lading ${entry.name} --help".`;
  const choice = /Argument: ([\w-]+), Given: (.*), Choices: (.*)/.exec(message);
  if (choice !== null) return new UsageError(`--${choice[1]} cannot be ${choice[2]}`, `Choose one of ${choice[3]}.`);
  const value = /^Not enough arguments following: (.*)/.exec(message);
  if (value !== null) return new UsageError(`${dashed(value[1]!)} needs a value`, usage);
  if (/^Not enough non-option arguments/.test(message)) return new UsageError('an argument is missing', usage);
  const extra = /^Unknown (?:argument|command)s?: (.*)/.exec(message);
  if (extra !== null) return new UsageError(`unexpected argument: ${extra[1]}`, usage);
  const required = /^Missing required arguments?: (.*)/.exec(message);
  if (required !== null) return new UsageError(`${dashed(required[1]!)} is missing`, usage);
  return new UsageError(message, usage);
}

function dashed(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`;
}

function withDashes(value: unknown): unknown {
  return Array.isArray(value) ? value.map(withDashes) : value === loneDash ? '-' : value;
}

/** An option that is given twice and holds one value holds the last. */
function lastValues(
  args: Readonly<Record<string, unknown>>,
  table: Readonly<Record<string, Options>>,
): CommandArguments {
  const result: Record<string, unknown> = { ...args };
  for (const [name, option] of Object.entries(table)) {
    if (option.array) continue;
    for (const key of [name, camelCased(name)]) {
      const value = result[key];
      if (Array.isArray(value)) result[key] = value.at(-1);
    }
  }
  return result as CommandArguments;
}

function camelCased(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
