import {
  type AnalyzeDockerfileOptions,
  checkDockerfile,
  type DockerfileSource,
  listTargets,
  outlineDockerfile,
} from '../src/index.js';
import type { BuildCall } from './build-call.js';
import type { CliContext } from './context.js';
import { exitCode } from './exit-code.js';
import type { GlobalArguments } from './global-options.js';
import { checkJson, checkText } from './render/dockerfile-check.js';
import { outlineJson, outlineText, targetsJson, targetsText } from './render/dockerfile-outline.js';
import { palette } from './render/palette.js';
import { withStore } from './store-session.js';

/** Answers `--call` of anything but a build; `planning` is what a build with these arguments would be planned with. */
export async function analyzeDockerfile(
  { method, format, ignoreStatus }: BuildCall,
  source: DockerfileSource,
  planning: Omit<AnalyzeDockerfileOptions, keyof DockerfileSource | 'store'>,
  args: GlobalArguments,
  context: CliContext,
): Promise<number> {
  const { stdout, env } = context;
  if (method === 'targets') {
    const targets = await withStore(args, context, store => listTargets({ ...source, ...planning, store }));
    stdout.write(format === 'json' ? targetsJson(targets) : targetsText(targets));
    return exitCode.done;
  }
  if (method === 'outline') {
    const outline = await withStore(args, context, store => outlineDockerfile({ ...source, ...planning, store }));
    stdout.write(format === 'json' ? outlineJson(outline) : outlineText(outline));
    return exitCode.done;
  }
  const check = await withStore(args, context, store => checkDockerfile({ ...source, ...planning, store }));
  stdout.write(format === 'json' ? checkJson(check) : checkText(check, palette(stdout, env)));
  // Programs that read JSON find it in there.
  if (check.error !== undefined && format === 'text') throw check.error;
  const sound = check.error === undefined && (check.warnings.length === 0 || ignoreStatus);
  return sound ? exitCode.done : exitCode.failed;
}
