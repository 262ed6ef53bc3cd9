import { resolve } from 'node:path';
import type { BuildImageOptions } from '../src/index.js';
import type { CliContext } from './context.js';
import { UsageError } from './usage-error.js';

const stdinLimit = 16 * 1024 * 1024;

/** Where a build takes its Dockerfile and its files from. */
export async function buildSource(
  { context, file }: { readonly context: string; readonly file?: string | undefined },
  cli: CliContext,
): Promise<Pick<BuildImageOptions, 'context' | 'dockerfile' | 'dockerfileText'>> {
  if (/^(?:https?|git|ssh):\/\/|^git@|^github\.com\//.test(context)) {
    throw new UsageError(
      `the context cannot be a web address: ${context}`,
      'Fetch it first, for example with "git clone", and build the folder.',
      'UNSUPPORTED',
    );
  }
  if (context === '-') {
    if (file !== undefined)
      throw new UsageError('a context on standard input leaves no room for -f', 'Give a folder as the context.');
    return { dockerfileText: await dockerfileFromStdin(cli) };
  }
  const folder = resolve(cli.cwd, context);
  if (file === '-') return { context: folder, dockerfileText: await dockerfileFromStdin(cli) };
  return { context: folder, dockerfile: file };
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
  const bytes = Buffer.concat(chunks);
  const gzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (gzip || bytes.subarray(257, 262).toString('latin1') === 'ustar') {
    throw new UsageError(
      'the context cannot be an archive on standard input',
      'Unpack it, and give the folder.',
      'UNSUPPORTED',
    );
  }
  return bytes.toString('utf8');
}
