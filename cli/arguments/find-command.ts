import { type CommandEntry, commands } from '../commands.js';
import { globalOptions } from '../global-options.js';
import { UsageError } from '../usage-error.js';
import { scanArguments } from './option-scan.js';
import { suggest } from './suggest.js';

export interface FoundCommand {
  /** Absent when only the program itself is meant. */
  readonly entry?: CommandEntry | undefined;
  /** The arguments without the words that name the command. */
  readonly rest: readonly string[];
}

/** Splits arguments into the command and what it is given; options may stand before the command. */
export function findCommand(argv: readonly string[]): FoundCommand {
  const { words } = scanArguments(argv, globalOptions);
  if (words[0] === 'help') return findCommand([...words.slice(1), '--help']);
  const first = words[0];
  if (first === undefined) return { rest: argv };
  for (const entry of commands) {
    const names = entry.name.split(' ');
    if (names.every((name, place) => words[place] === name)) return { entry, rest: without(argv, names) };
  }
  for (const name of [words.slice(0, 2).join(' '), first]) {
    const known = elsewhere.get(name);
    if (known !== undefined)
      throw new UsageError(`there is no command "${name}": ${known.reason}`, known.instead, 'UNSUPPORTED');
  }
  const group = commands.filter(entry => entry.name.startsWith(`${first} `));
  if (group.length > 0) {
    const known = group.map(entry => `"lading ${entry.name}"`).join(', ');
    throw new UsageError(
      words[1] === undefined
        ? `lading ${first} needs a subcommand`
        : `there is no command "lading ${first} ${words[1]}"`,
      `There is ${known}.`,
    );
  }
  const near = suggest(
    first,
    commands.map(entry => entry.name),
  );
  throw new UsageError(
    `there is no command "${first}"`,
    near === undefined ? 'See "lading --help" for what there is.' : `Did you mean "lading ${near}"?`,
  );
}

/** Commands of other tools, by their first word, or by two. */
const elsewhere = new Map([
  [
    'exec',
    {
      reason: 'a container runs one process',
      instead: 'Stop it, and run something else on its files: lading commit, and lading run.',
    },
  ],
  [
    'container',
    { reason: 'commands about containers have no group', instead: 'Leave the word out: lading ps, lading rm …' },
  ],
  ['buildx', { reason: 'there is one builder', instead: 'Leave the word out: lading build …' }],
  [
    'image',
    {
      reason: 'commands about images have no group',
      instead: 'Leave the word out: lading images, lading inspect, lading prune …',
    },
  ],
  ['builder', { reason: 'there is one builder', instead: 'Use lading prune --cache for its cache.' }],
  ['bud', { reason: 'images are built by "build"', instead: 'Use lading build.' }],
  ['volume', { reason: 'volumes have no names', instead: 'Use lading run --volume FOLDER:TARGET.' }],
  ['network', { reason: 'networks have no names', instead: 'Use lading run --network.' }],
  ['info', { reason: 'there is no daemon to ask', instead: 'Use lading doctor, or lading system df.' }],
  [
    'system prune',
    { reason: 'what can go is deleted by "prune"', instead: 'Use lading prune, with --all and --cache for more.' },
  ],
  ['ls', { reason: 'images are listed by "images"', instead: 'Use lading images.' }],
]);

/** The first occurrence of each name goes; everything else stays in its order. */
function without(argv: readonly string[], names: readonly string[]): string[] {
  const rest = [...argv];
  let from = 0;
  for (const name of names) {
    const at = placeOf(rest, name, from);
    rest.splice(at, 1);
    from = at;
  }
  return rest;
}

/** A global option before the command may have the command's name as its value: `--root build build`. */
function placeOf(argv: readonly string[], name: string, from: number): number {
  for (let at = from; at < argv.length; at++) {
    if (argv[at] !== name) continue;
    const before = scanArguments(argv.slice(0, at + 1), globalOptions).words;
    if (before.at(-1) === name) return at;
  }
  return argv.indexOf(name, from);
}
