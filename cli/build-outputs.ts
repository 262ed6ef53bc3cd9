import { realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { type Output, type Platform, parseOutput } from '../src/index.js';
import type { CliContext } from './context.js';
import { UsageError } from './usage-error.js';

/** What `--allow` knows. All but the deletion are for commands, which say themselves when they are not allowed something. */
const entitlements = /^(?:buildx\.local\.delete|network\.host|security\.insecure|device(?:=.*)?|fs(?:\..*)?)$/;

/**
 * The outputs of a build: paths start in the folder that the command was started in, `-` is standard output.
 * @throws UsageError, LadingError USAGE
 */
export async function buildOutputs(
  args: { readonly output?: readonly string[] | undefined; readonly allow?: readonly string[] | undefined },
  host: Platform,
  context: CliContext,
): Promise<Output[]> {
  const allowed = (args.allow ?? []).flatMap(text => text.split(','));
  const unknown = allowed.find(name => !entitlements.test(name));
  if (unknown !== undefined) {
    throw new UsageError(`--allow ${unknown}: there is nothing of that name`, 'Write --allow buildx.local.delete.');
  }
  const outputs = (args.output ?? []).map(text => placed(parseOutput(text, host), context));
  for (const { files, dest } of outputs) {
    if (files?.mode !== 'delete' || allowed.includes('buildx.local.delete')) continue;
    if (await isBelow(dest!, context.cwd)) continue;
    throw new UsageError(
      `mode=delete would delete what is in ${dest}, which is not below the current folder`,
      'Check the path, and add --allow buildx.local.delete when that is what you want.',
    );
  }
  return outputs;
}

function placed(output: Output, { cwd, stdout }: CliContext): Output {
  if (output.dest === undefined) return output;
  if (output.dest !== '-') return { ...output, dest: resolve(cwd, output.dest) };
  if (stdout.isTTY)
    throw new UsageError('an archive is nothing for a terminal', 'Write dest=FILE, or send it into a pipe.');
  return { ...output, stream: stdout };
}

/** Links on the way count for where they lead. */
async function isBelow(path: string, folder: string): Promise<boolean> {
  const inside = relative(await real(folder), await real(path));
  return inside !== '' && inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside);
}

/** What is not there yet lies in the nearest folder above it that is. */
async function real(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error;
    return join(await real(dirname(path)), path.slice(dirname(path).length));
  }
}
