import { LadingError } from '../../errors/errors.js';

/** A parsed `--chmod`. */
export interface Chmod {
  /** The mode when it was given as an octal number: it then applies to created parents too. */
  readonly octal?: number | undefined;
  apply(mode: number, isDirectory: boolean): number;
}

const bits = { u: 0o4700, g: 0o2070, o: 0o007 } as const;
const everyone = 0o6777;
const sticky = 0o1000;
const permission: Readonly<Record<string, number>> = { r: 0o444, w: 0o222, x: 0o111 };

/**
 * Parses an octal mode up to 07777 or a list of symbolic clauses (`u=rwX,go=rX`, `a+x`, `g=u`), which are read as
 * chmod(1) of the BSDs reads them with a umask of 0.
 * @throws LadingError INVALID_VALUE
 */
export function parseChmod(text: string): Chmod {
  if (/^[0-7]+$/.test(text)) {
    const octal = Number.parseInt(text, 8);
    if (octal > 0o7777) throw invalid(text);
    return { octal, apply: () => octal };
  }
  const clauses = text.split(',').map(clause => parseClause(clause, text));
  return {
    apply: (mode, isDirectory) =>
      clauses.flat().reduce((current, change) => change(current, isDirectory || (mode & 0o111) !== 0), mode),
  };
}

/** `executable`: the file is a folder or had an execute bit before the first change, which is what `X` asks. */
type Change = (mode: number, executable: boolean) => number;

function parseClause(clause: string, whole: string): Change[] {
  const match = /^([ugoa]*)((?:[-+=][rwxXstugo]*)+)$/.exec(clause);
  if (match === null) throw invalid(whole);
  const who = [...match[1]!].reduce((mask, letter) => mask | (letter === 'a' ? everyone : bits[letter as 'u']), 0);
  const operations = match[2]!.match(/[-+=][rwxXstugo]*/g)!;
  return operations.map(operation => parseOperation(operation[0]!, operation.slice(1), who));
}

function parseOperation(operator: string, letters: string, who: number): Change {
  const copied = [...letters].filter((letter): letter is 'u' | 'g' | 'o' => letter in bits);
  // Set-id and sticky bits mean nothing to "others" alone.
  const special = who === 0 || (who & ~bits.o) !== 0;
  let wanted = 0;
  for (const letter of letters) wanted |= permission[letter] ?? 0;
  if (letters.includes('s') && special) wanted |= 0o6000;
  const withSticky = letters.includes('t') && special;
  const mask = (who === 0 ? everyone : who) | (withSticky ? sticky : 0);
  if (withSticky) wanted |= sticky;
  // A class copied from another (`g=u`) leaves the set-id bits alone.
  const cleared = copied.length > 0 && wanted === 0 && !letters.includes('X') ? mask & 0o777 : mask;
  return (mode, executable) => {
    let value = wanted | (letters.includes('X') && executable ? 0o111 : 0);
    for (const letter of copied) value |= spread(mode, letter);
    value &= mask;
    if (operator === '+') return mode | value;
    if (operator === '-') return mode & ~value;
    return (mode & ~cleared) | value;
  };
}

/** The three bits of one class, repeated for all three. */
function spread(mode: number, from: 'u' | 'g' | 'o'): number {
  const shift = { u: 6, g: 3, o: 0 }[from];
  return ((mode >> shift) & 7) * 0o111;
}

function invalid(text: string): LadingError {
  return new LadingError(
    'INVALID_VALUE',
    `invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`,
    {
      details: { what: 'chmod', value: text },
      hint: 'Write an octal mode such as 755, or symbolic clauses such as u=rwX,go=rX.',
    },
  );
}
