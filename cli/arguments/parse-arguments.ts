import type { Options } from 'yargs';
import type { Command, OptionTable } from '../command.js';
import type { CommandEntry } from '../commands.js';
import { type GlobalArguments, globalOptions } from '../global-options.js';
import { UsageError } from '../usage-error.js';
import { scanArguments, type WrittenOption } from './option-scan.js';
import { suggest } from './suggest.js';

export type CommandArguments = GlobalArguments & Record<string, unknown>;

/**
 * Reads the arguments of one command: each under its name, and in camel case. An option that is given twice and holds one
 * value holds the last.
 * @throws UsageError for the first fault, options before words
 */
export function parseArguments(entry: CommandEntry, command: Command, argv: readonly string[]): CommandArguments {
  const own: OptionTable = { ...command.options, ...globalOptions };
  const { options, words } = scanArguments(argv, { ...own, ...foreignOptions(command) }, command.ownWords);
  refuseForeign(options, own, entry, command);
  const values = new Map<string, unknown>();
  for (const [name, option] of Object.entries({ ...command.positionals, ...own })) {
    if (option.default !== undefined) values.set(name, option.default);
  }
  for (const [name, value] of positionalValues(entry, words)) values.set(name, value);
  const given = new Map<string, unknown>();
  for (const { name, value } of options) {
    if (name === undefined || !Object.hasOwn(own, name)) continue;
    const option = own[name]!;
    const read = optionValue(name, value, option);
    given.set(name, option.array === true ? [...((given.get(name) as unknown[] | undefined) ?? []), read] : read);
  }
  for (const name of given.keys()) {
    const other = own[name]!.conflicts;
    if (typeof other === 'string' && given.has(other)) {
      throw new UsageError(`${dashed(name)} and ${dashed(other)} exclude each other`, usageOf(entry));
    }
  }
  const args: Record<string, unknown> = {};
  for (const [name, value] of [...values, ...given]) args[name] = args[camelCased(name)] = value;
  return args as CommandArguments;
}

export function wantsHelp(command: Command | undefined, argv: readonly string[]): boolean {
  const table = { ...command?.options, ...foreignOptions(command), ...globalOptions };
  return scanArguments(argv, table, command?.ownWords).options.some(({ name }) => name === 'help');
}

/** A global option that is not known, when there is no command to ask. */
export function refuseUnknownOptions(argv: readonly string[]): void {
  const known: OptionTable = { ...globalOptions, version: { type: 'boolean' } };
  for (const option of scanArguments(argv, known).options) {
    if (option.name === undefined) throw unknownOption(option.written, known, 'lading --help');
    if (option.valueMissing) throw valueMissingAt(option.written);
  }
}

/** Words by the names that the usage gives them: `<context>`, `[name..]`. */
function positionalValues(
  entry: CommandEntry,
  words: readonly string[],
): Array<readonly [name: string, value: unknown]> {
  const values: Array<readonly [string, unknown]> = [];
  const rest = [...words];
  for (const [, required, name, several] of entry.usage.matchAll(/([<[])([\w-]+)(\.\.)?[>\]]/g)) {
    if (required === '<' && rest.length === 0) throw new UsageError('an argument is missing', usageOf(entry));
    if (several !== undefined) values.push([name!, rest.splice(0)]);
    else if (rest.length > 0) values.push([name!, rest.shift()]);
  }
  if (rest.length > 0) throw new UsageError(`unexpected argument: ${rest.join(', ')}`, usageOf(entry));
  return values;
}

function optionValue(name: string, written: string, { type, choices }: Options): unknown {
  if (type === 'boolean') return chosen(name, written, ['true', 'false']) === 'true';
  if (type === 'number') return written.trim() === '' ? Number.NaN : Number(written);
  return choices === undefined ? written : chosen(name, written, choices.map(String));
}

function chosen(name: string, written: string, choices: readonly string[]): string {
  if (choices.includes(written)) return written;
  const quoted = choices.map(choice => JSON.stringify(choice)).join(', ');
  throw new UsageError(`${dashed(name)} cannot be ${JSON.stringify(written)}`, `Choose one of ${quoted}.`);
}

function refuseForeign(
  options: readonly WrittenOption[],
  known: OptionTable,
  entry: CommandEntry,
  command: Command,
): void {
  for (const { written, name, value, valueMissing } of options) {
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

/** What is known of other tools, as options that no help shows. */
export function foreignOptions(command: Command | undefined): OptionTable {
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

function usageOf(entry: CommandEntry): string {
  return `Usage: lading ${`${entry.name} ${entry.usage}`.trim()}. See "lading ${entry.name} --help".`;
}

function dashed(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`;
}

function camelCased(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
