import type { CliContext } from '../context.js';
import { formatJson } from './json.js';
import { printableLine } from './printable.js';

/** Writes texts as they come, each on a line of its own, or when all are there as a JSON list. */
export async function writeLines(
  texts: AsyncIterable<string>,
  json: boolean | undefined,
  { stdout }: Pick<CliContext, 'stdout'>,
): Promise<void> {
  const all: string[] = [];
  for await (const text of texts) {
    if (json) all.push(text);
    else stdout.write(`${printableLine(text)}\n`);
  }
  if (json) stdout.write(formatJson(all));
}
