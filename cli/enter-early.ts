import { findUserNamespace } from '../src/index.js';
import type { CliContext } from './context.js';
import { namespaceLikely } from './namespace-likely.js';
import { runAgain } from './run-again.js';

/**
 * Runs the program in the user namespace that it is going to need. Starting Node anew takes a tenth of the time that it takes
 * once lading has been loaded and has found out, so this is asked first, of a file that has all it needs in itself.
 * @returns the exit code; nothing where that is to be found out
 */
export async function enterEarly(argv: readonly string[], context: CliContext): Promise<number | undefined> {
  if (!namespaceLikely(argv, context.cwd)) return undefined;
  const namespace = await findUserNamespace(context.env['PATH'] ?? '');
  if ('missing' in namespace) return undefined;
  try {
    return await runAgain(namespace, context);
  } catch {
    // The command finds the same, and knows what to do or to say instead.
    return undefined;
  }
}
