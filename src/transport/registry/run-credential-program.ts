import { spawn } from 'node:child_process';
import { isLadingError, type LadingError } from '../../errors/errors.js';
import { readCapped } from '../../stream/read-capped.js';

export interface CredentialProgramOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Default 30 s. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a program that knows credentials has said. All of it may be secret. */
export interface ProgramAnswer {
  readonly status: number | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

const outputLimit = 1024 * 1024;

/** Runs a program by its own arguments, without a shell. @throws what `fail` makes of a problem, or the signal's reason */
export async function runCredentialProgram(
  [program, ...args]: readonly [string, ...string[]],
  input: string,
  options: CredentialProgramOptions,
  fail: (problem: string) => LadingError,
): Promise<ProgramAnswer> {
  options.signal?.throwIfAborted();
  const limit = AbortSignal.timeout(options.timeoutMs ?? 30_000);
  const signal = options.signal === undefined ? limit : AbortSignal.any([options.signal, limit]);
  const child = spawn(program, args, { env: { ...options.env }, stdio: ['pipe', 'pipe', 'pipe'], signal });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  try {
    const [status, stdout, stderr] = await Promise.all([
      ended,
      readCapped(child.stdout, outputLimit, 'answer of the program'),
      readCapped(child.stderr, outputLimit, 'answer of the program'),
    ]);
    return { status, stdout, stderr };
  } catch (error) {
    child.kill();
    ended.catch(() => {});
    if (options.signal?.aborted) throw options.signal.reason;
    if (limit.aborted) throw fail('does not answer');
    const code = isLadingError(error) ? error.code : (error as NodeJS.ErrnoException).code;
    throw fail(code === 'ENOENT' ? 'not found' : `cannot be used (${code ?? 'error'})`);
  }
}
