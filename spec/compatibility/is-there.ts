import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const top = join(import.meta.dirname, '../..');

/**
 * Whether there is what a table names as a test: a file of `spec` or a folder of `testdata`, with `*`, and in it a test of
 * the title behind a colon.
 */
export function isThere(test: string): boolean {
  const [, path, title] = /^([^:]*)(?:: (.*))?$/.exec(test)!;
  const name = new RegExp(`^${basename(path!).replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
  const folder = join(top, path!.endsWith('.spec.ts') ? 'spec' : path!.startsWith('dockerfile/') ? 'spec' : 'testdata');
  const parent = join(folder, dirname(path!));
  if (!existsSync(parent) || !readdirSync(parent).some(found => name.test(found))) return false;
  return title === undefined || readFileSync(join(folder, path!), 'utf8').includes(`'${title}'`);
}
