/**
 * The command line: finds the command, reads its arguments, lets it make its one call into the library, and turns what
 * failed into text and an exit code. Nothing here knows how images are made; nothing but `bin.ts` knows the process.
 */
import { UserNamespaceNeeded } from '../src/index.js';
import { findCommand } from './arguments/find-command.js';
import { parseArguments, refuseUnknownOptions, wantsHelp } from './arguments/parse-arguments.js';
import type { CliContext } from './context.js';
import { exitCode } from './exit-code.js';
import { palette } from './render/palette.js';
import { UsageError } from './usage-error.js';
import { version } from './version.js';

/** Runs one command and gives its exit code. It throws nothing. */
export async function main(argv: readonly string[], context: CliContext): Promise<number> {
  try {
    return await dispatch(argv, context);
  } catch (error) {
    if (error instanceof UserNamespaceNeeded && context.again !== undefined) {
      const { runAgain } = await import('./run-again.js');
      return await runAgain(error.namespace, context);
    }
    if (context.signal.aborted) {
      context.stderr.write('interrupted\n');
      return exitCode.interrupted;
    }
    const { renderError } = await import('./render/error.js');
    const debug = argv.includes('--debug');
    context.stderr.write(renderError(error, { debug, palette: palette(context.stderr, context.env) }));
    return isMisuse(error) ? exitCode.misused : exitCode.failed;
  }
}

async function dispatch(argv: readonly string[], context: CliContext): Promise<number> {
  const { entry, rest } = findCommand(argv);
  const columns = Math.max(60, Math.min(context.stdout.columns || 80, 100));
  if (entry === undefined) {
    refuseUnknownOptions(rest);
    if (rest.includes('--version')) {
      context.stdout.write(`${version}\n`);
      return exitCode.done;
    }
    const asked = wantsHelp(undefined, rest);
    (asked ? context.stdout : context.stderr).write(`${await (await helpText()).programHelp(columns)}\n`);
    return asked ? exitCode.done : exitCode.misused;
  }
  const { command } = await entry.load();
  if (wantsHelp(command, rest)) {
    context.stdout.write(`${await (await helpText()).commandHelp(entry, command, columns)}\n`);
    return exitCode.done;
  }
  const args = parseArguments(entry, command, rest);
  context.signal.throwIfAborted();
  const { timeout } = args as { readonly timeout?: string | undefined };
  if (timeout === undefined) return (await command.run(args, context)) ?? exitCode.done;
  const { withDeadline } = await import('./deadline.js');
  return (await withDeadline(timeout, context, within => command.run(args, within))) ?? exitCode.done;
}

/** Loaded for those who ask for help. */
function helpText(): Promise<typeof import('./arguments/help-text.js')> {
  return import('./arguments/help-text.js');
}

/** Whether the command line is at fault: what it says, or a value in it that is no name, platform or place. */
function isMisuse(error: unknown): boolean {
  if (error instanceof UsageError) return true;
  const { code, place } = error as { readonly code?: unknown; readonly place?: unknown };
  return code === 'USAGE' || (code === 'INVALID_VALUE' && place === undefined);
}
