import type { Options } from 'yargs';
import type { OptionTable } from '../command.js';

/** An option as it stands in the arguments. */
export interface WrittenOption {
  /** `--label`, `-t`. */
  readonly written: string;
  /** Its name in the table; absent when the table does not have it. */
  readonly name?: string | undefined;
  /** Its value as it is written; `true` for an option that takes none. */
  readonly value: string;
  /** The arguments end where its value should be, or another option stands there. */
  readonly valueMissing?: boolean | undefined;
}

/**
 * The options among arguments, in order, and the words that are none. Behind `lastWord` words, if that is said, everything
 * is a word: the command line of another program.
 */
export function scanArguments(
  argv: readonly string[],
  table: OptionTable,
  lastWord = Number.POSITIVE_INFINITY,
): { readonly options: WrittenOption[]; readonly words: string[] } {
  const byWritten = writtenNames(table);
  const options: WrittenOption[] = [];
  const words: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const token = argv[i]!;
    if (token === '--') {
      words.push(...argv.slice(i + 1));
      break;
    }
    if (token.startsWith('--')) {
      const written = token.split('=', 1)[0]!;
      const name = byWritten.get(written);
      const consumes = name !== undefined && takesValue(table[name]!) && !token.includes('=');
      const equals = token.indexOf('=');
      const value = equals >= 0 ? token.slice(equals + 1) : consumes ? (argv[i + 1] ?? '') : 'true';
      options.push({ written, name, value, valueMissing: consumes && isNoValue(argv[i + 1]) });
      if (consumes) i++;
    } else if (token.startsWith('-') && token !== '-') {
      if (scanLetters(token, argv[i + 1], byWritten, table, options)) i++;
    } else {
      words.push(token);
      if (words.length < lastWord) continue;
      words.push(...argv.slice(i + 1));
      break;
    }
  }
  return { options, words };
}

/** `-qt NAME`: whether the next argument belongs to the last letter. */
function scanLetters(
  token: string,
  following: string | undefined,
  byWritten: ReadonlyMap<string, string>,
  table: OptionTable,
  options: WrittenOption[],
): boolean {
  for (let at = 1; at < token.length; at++) {
    const written = `-${token[at]}`;
    const name = byWritten.get(written);
    const consumes = name !== undefined && takesValue(table[name]!);
    const next = consumes && at === token.length - 1;
    const value = next ? (following ?? '') : consumes ? token.slice(at + 1).replace(/^=/, '') : 'true';
    options.push({ written, name, value, valueMissing: next && isNoValue(following) });
    if (name === undefined || consumes) return next;
  }
  return false;
}

/** `-` alone is a value, as is a negative number. */
function isNoValue(token: string | undefined): boolean {
  return token === undefined || /^-[^0-9]/.test(token);
}

function writtenNames(table: OptionTable): Map<string, string> {
  const names = new Map<string, string>();
  for (const [name, { alias = [] }] of Object.entries(table)) {
    for (const spelling of [name, ...[alias].flat()]) {
      names.set(spelling.length === 1 ? `-${spelling}` : `--${spelling}`, name);
    }
  }
  return names;
}

function takesValue(option: Options): boolean {
  return option.type !== 'boolean';
}
