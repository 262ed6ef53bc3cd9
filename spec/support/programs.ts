/**
 * Real programs as partners of tests: whether they are here, and running them. A suite whose program is missing is
 * skipped loudly on a developer's machine and fails where `CI=true`, so that nothing is skipped unseen.
 */
import { describe, it } from 'vitest';
import { findProgram } from './run-program.js';

export { findProgram, type RunOptions, type RunResult, runProgram } from './run-program.js';

/** Milliseconds for one test, or one preparation, that drives real programs: several times what a slow machine takes. */
export const patience = 300_000;

export interface Requirement {
  /** What is not here: names of programs, or `root`. */
  readonly missing: readonly string[];
  readonly met: boolean;
}

/** Looks for programs in PATH and the system directories; the name `root` asks for the privilege of the super user. */
export function requirePrograms(names: readonly string[]): Requirement {
  const missing = names.filter(name => (name === 'root' ? process.getuid?.() !== 0 : findProgram(name) === undefined));
  return { missing, met: missing.length === 0 };
}

/** A suite that needs real programs: runs, or says why not (see the top of this file). */
export function describeWith(names: readonly string[], title: string, body: () => void): void {
  const { missing, met } = requirePrograms(names);
  if (met) {
    describe(title, { timeout: patience }, body);
    return;
  }
  const absent = missing.join(', ');
  if (process.env['CI'] === 'true') {
    describe(title, () => {
      it(`needs ${absent}`, () => {
        throw new Error(`not installed on this machine: ${absent}`);
      });
    });
    return;
  }
  process.stderr.write(`skipped: ${title}: not installed here: ${absent}\n`);
  describe.skip(`${title} [skipped, not installed: ${absent}]`, body);
}
