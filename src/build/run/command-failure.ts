import { LadingError } from '../../errors/errors.js';
import { redactQueries } from '../../errors/redact.js';
import type { RunStep } from '../../plan/step.js';
import type { RunResult } from '../../sandbox/sandbox.js';

const hints: Readonly<Record<number, string>> = {
  126: 'The program is there and cannot be executed: look at its mode, and at the platform that it is made for.',
  127: 'A program is not in the image, or not in a folder of PATH.',
};

const keptHint = 'Its files are kept: see lading debug diff, ls and cat.';

/** What to say of a command that did not end well, in the words of Docker. */
export function commandFailure(
  step: RunStep,
  { exitCode, killedBy }: Pick<RunResult, 'exitCode' | 'killedBy'>,
  { output, tier, kept }: { readonly output: string; readonly tier: string; readonly kept: boolean },
): LadingError<'RUN_FAILED'> {
  const reason =
    killedBy === 'SIGKILL' ? 'Something killed it: often the kernel, for want of memory.' : hints[exitCode];
  const end = `exit code: ${exitCode}${killedBy === undefined ? '' : ` (${killedBy})`}`;
  return new LadingError('RUN_FAILED', `process ${commandText(step)} did not complete successfully: ${end}`, {
    details: { range: step.range, exitCode, signal: killedBy, output, tier },
    hint: kept ? [reason, keptHint].filter(text => text !== undefined).join(' ') : reason,
  });
}

export function commandText({ argv }: Pick<RunStep, 'argv'>): string {
  return JSON.stringify(redactQueries(argv.join(' ')));
}
