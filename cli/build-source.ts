import { resolve } from 'node:path';
import { type BuildImageOptions, redactText } from '../src/index.js';
import type { CliContext } from './context.js';
import { UsageError } from './usage-error.js';

const stdinLimit = 16 * 1024 * 1024;

/** Where a build takes its Dockerfile and its files from. */
export async function buildSource(
  { context, file }: { readonly context: string; readonly file?: string | undefined },
  cli: CliContext,
): Promise<Pick<BuildImageOptions, 'context' | 'contextContent' | 'dockerfile' | 'dockerfileText'>> {
  if (/^(?:git|ssh):\/\/|^git@|^github\.com\/|^https?:\/\/[^?#]*\.git(?:[?#]|$)/.test(context)) {
    throw new UsageError(
      `the context cannot be a Git repository: ${redactText(context)}`,
      'Fetch it first with "git clone", and build the folder.',
      'UNSUPPORTED',
    );
  }
  if (context === '-') {
    if (file === '-')
      throw new UsageError('context and Dockerfile cannot both come from standard input', 'Leave -f out.');
    return { contextContent: cli.stdin, dockerfile: file };
  }
  const place = /^https?:\/\//i.test(context) ? context : resolve(cli.cwd, context);
  if (file === '-') return { context: place, dockerfileText: await dockerfileFromStdin(cli) };
  return { context: place, dockerfile: file };
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
