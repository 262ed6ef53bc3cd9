import { LadingError } from '../errors/errors.js';

/** The error for a tar stream that is malformed or dangerous; `entry` is the path of the entry concerned. */
export function invalidArchive(problem: string, entry?: string): LadingError<'INVALID_ARCHIVE'> {
  const shown = entry === undefined ? undefined : printable(entry);
  const where = shown === undefined ? 'the archive has' : `the archive's entry ${JSON.stringify(shown)} has`;
  return new LadingError('INVALID_ARCHIVE', `${where} ${problem}`, { details: { entry: shown, problem } });
}

/** Names come from strangers: not longer than a message bears, and well-formed. */
function printable(name: string): string {
  return name.slice(0, 300).toWellFormed();
}
