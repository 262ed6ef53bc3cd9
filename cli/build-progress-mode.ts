import { type ProgressMode, progressModes } from './global-options.js';
import { UsageError } from './usage-error.js';

/**
 * How a build shows its progress: `--quiet` goes before `--progress`, which goes before BUILDKIT_PROGRESS.
 * @throws UsageError for a mode in the environment that does not exist
 */
export function buildProgressMode(
  { quiet, progress }: { readonly quiet?: boolean | undefined; readonly progress: ProgressMode },
  env: Readonly<Record<string, string | undefined>>,
): ProgressMode {
  if (quiet) return 'quiet';
  const wished = env['BUILDKIT_PROGRESS'];
  if (progress !== 'auto' || wished === undefined || wished === '') return progress;
  const known = progressModes.find(mode => mode === wished);
  if (known !== undefined) return known;
  throw new UsageError(`BUILDKIT_PROGRESS cannot be ${wished}`, `Choose one of ${progressModes.join(', ')}.`);
}
