import { once } from 'node:events';
import { constants } from 'node:os';
import { startInUserNamespace, type UserNamespace } from '../src/index.js';
import type { CliContext } from './context.js';

/** Runs this program again as root of the user namespace that it needs, and gives its exit code. */
export async function runAgain(
  namespace: UserNamespace,
  { again, env, cwd, signal }: Pick<CliContext, 'again' | 'env' | 'cwd' | 'signal'>,
): Promise<number> {
  signal.throwIfAborted();
  const child = await startInUserNamespace(namespace, { ...again!, env, cwd, streams: 'inherit' });
  // A terminal has told it already; once more would be taken for impatience by nobody else but us.
  const interrupt = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', interrupt, { once: true });
  try {
    const [code, killedBy] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return killedBy === null ? (code ?? 0) : 128 + constants.signals[killedBy];
  } finally {
    signal.removeEventListener('abort', interrupt);
  }
}
