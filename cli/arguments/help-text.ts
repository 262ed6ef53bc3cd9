import yargs, { type Argv } from 'yargs';
import type { Command, Example } from '../command.js';
import { type CommandEntry, commands } from '../commands.js';
import { globalOptions } from '../global-options.js';
import { foreignOptions } from './parse-arguments.js';

/** The help of one command. It is put together by yargs, which is loaded for that alone. */
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
  return (
    parser
      .detectLocale(false)
      .exitProcess(false)
      .help(false)
      .version(false)
      .wrap(columns)
      // `--no-cache` is an option of its own.
      .parserConfiguration({ 'boolean-negation': false })
  );
}
