import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDockerfile } from '../../src/dockerfile/parser.js';
import type { CorpusCase } from '../support/corpus.js';

/**
 * What a case of the corpus is about: its name, the features it was recorded for, the instructions of its Dockerfile, and
 * the flags of both the Dockerfile and the command line.
 */
export function wordsOfCase(one: CorpusCase): ReadonlySet<string> {
  const words = new Set([one.name, ...one.features]);
  for (const arg of one.args) if (arg.startsWith('--')) words.add(arg.replace(/=.*/, ''));
  const file = join(one.folder, one.dockerfile ?? 'Dockerfile');
  if (!existsSync(file)) return words;
  const { ast } = parseDockerfile(readFileSync(file, 'utf8'));
  for (const { kind, flags } of ast.instructions) {
    for (const word of [kind, ...flags.map(flag => flag.replace(/=.*/s, ''))]) words.add(word);
  }
  return words;
}
