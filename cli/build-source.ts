import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type BuildImageOptions, isRemoteContext } from '../src/index.js';
import type { CliContext } from './context.js';
import { UsageError } from './usage-error.js';

const stdinLimit = 16 * 1024 * 1024;

/** Where a build takes its Dockerfile and its files from. */
export async function buildSource(
  { context, file }: { readonly context: string; readonly file?: string | undefined },
  cli: CliContext,
): Promise<Pick<BuildImageOptions, 'context' | 'contextContent' | 'dockerfile' | 'dockerfileText'>> {
  if (context === '-') {
    if (file === '-')
      throw new UsageError('context and Dockerfile cannot both come from standard input', 'Leave -f out.');
    return { contextContent: cli.stdin, dockerfile: file };
  }
  const folder = resolve(cli.cwd, context);
  const place = isRemoteContext(context) && !(await isFolder(folder)) ? context : folder;
  if (file === '-') return { context: place, dockerfileText: await dockerfileFromStdin(cli) };
  return { context: place, dockerfile: file };
}

/** A folder here goes before a repository: `github.com/owner/name` can be both. */
async function isFolder(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isDirectory() ?? false;
}

async function dockerfileFromStdin({ stdin, signal }: CliContext): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stdin) {
    signal.throwIfAborted();
    const bytes: Uint8Array = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    size += bytes.length;
    if (size > stdinLimit) throw new UsageError(`the Dockerfile on standard input is larger than ${stdinLimit} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}
