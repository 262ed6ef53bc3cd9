import type { AddInstruction, CopyInstruction } from '../ast.js';
import { flagTables, parseFlags } from '../flags.js';
import { parseHeredocWord } from '../heredoc.js';
import { Problem } from '../problem.js';
import type { Placement, Statement } from '../statement.js';
import { makeNode } from './node.js';

/** `COPY [flags] source... destination` */
export function parseCopy(statement: Statement, place: Placement): CopyInstruction {
  requireDestination(statement);
  const flags = parseFlags(statement.flags, flagTables.COPY);
  const { chown, chmod, from, exclude } = flags;
  const { sources, destination } = sourcesAndDestination(statement);
  return makeNode('COPY', statement, withLastContents(place), {
    sources,
    destination,
    chown,
    chmod,
    link: flags.link ?? false,
    exclude,
    from,
    parents: flags.parents ?? false,
  });
}

/** `ADD [flags] source... destination` */
export function parseAdd(statement: Statement, place: Placement): AddInstruction {
  requireDestination(statement);
  const flags = parseFlags(statement.flags, flagTables.ADD);
  const { chown, chmod, exclude, checksum, unpack } = flags;
  const { sources, destination } = sourcesAndDestination(statement);
  return makeNode('ADD', statement, withLastContents(place), {
    sources,
    destination,
    chown,
    chmod,
    link: flags.link ?? false,
    exclude,
    keepGitDir: flags['keep-git-dir'],
    checksum,
    unpack,
  });
}

function requireDestination(statement: Statement): void {
  if (statement.words.length >= 2) return;
  throw new Problem(
    `${statement.name} requires at least two arguments, but only one was provided. Destination could not be determined`,
    `Write ${statement.name} source destination.`,
  );
}

function sourcesAndDestination({ name, words }: Statement) {
  const destination = words.at(-1)!;
  if (parseHeredocWord(destination) !== undefined) {
    throw new Problem(`${name} cannot accept a heredoc as a destination`, 'Put the destination behind the heredoc.');
  }
  return { sources: words.slice(0, -1).filter(word => parseHeredocWord(word) === undefined), destination };
}

/** Heredocs of one name are one file: the last content is that of all of them. */
function withLastContents(place: Placement): Placement {
  if (place.heredocs.length < 2) return place;
  const contents = new Map(place.heredocs.map(heredoc => [heredoc.name, heredoc.content]));
  return { ...place, heredocs: place.heredocs.map(heredoc => ({ ...heredoc, content: contents.get(heredoc.name)! })) };
}
