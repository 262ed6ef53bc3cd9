import { LadingError } from '../../errors/errors.js';
import { redactQueries } from '../../errors/redact.js';
import type { RunStep } from '../../plan/step.js';
import type { RunResult } from '../../sandbox/sandbox.js';

const hints: Readonly<Record<number, string>> = {
  126: 'The program is there and cannot be executed: look at its mode, and at the platform that it is made for.',
  127: 'A program is not in the image, or not in a folder of PATH.',
};

/** What to say of a command that did not end well, in the words of Docker. */
export function commandFailure(
  step: RunStep,
  { exitCode, killedBy }: Pick<RunResult, 'exitCode' | 'killedBy'>,
  { output, tier }: { readonly output: string; readonly tier: string },
): LadingError<'RUN_FAILED'> {
  const end = `exit code: ${exitCode}${killedBy === undefined ? '' : ` (${killedBy})`}`;
  return new LadingError('RUN_FAILED', `process ${commandText(step)} did not complete successfully: ${end}`, {
    details: { range: step.range, exitCode, signal: killedBy, output, tier },
    hint: killedBy === 'SIGKILL' ? 'Something killed it: often the kernel, for want of memory.' : hints[exitCode],
  });
}

export function commandText({ argv }: Pick<RunStep, 'argv'>): string {
  return JSON.stringify(redactQueries(argv.join(' ')));
}
