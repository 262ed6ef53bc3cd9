import type { DockerfileCheck, DockerfileWarning } from '../../src/index.js';
import { formatJson } from './json.js';
import type { Palette } from './palette.js';
import { printable, printableLine } from './printable.js';
import { locationOf, type SourceLocation } from './source-location.js';

/**
 * What a check has found, as Docker shows it:
 *
 *     Check complete, 1 warning has been found!
 *
 *     WARNING: StageNameCasing
 *     Stage name 'Build' should be lowercase
 *     Dockerfile:1
 *     --------------------
 *        1 | >>> FROM scratch AS Build
 *     --------------------
 *     hint: Write build.
 */
export function checkText({ warnings, error }: DockerfileCheck, palette: Palette): string {
  const found = warnings.map(warning => warningText(warning, palette)).join('');
  if (warnings.length > 0) return `Check complete, ${count(warnings.length)}\n${found}`;
  return error === undefined ? 'Check complete, no warnings found.\n' : '';
}

function count(warnings: number): string {
  return warnings === 1 ? '1 warning has been found!' : `${warnings} warnings have been found!`;
}

function warningText({ rule, message, excerpt, hint }: DockerfileWarning, palette: Palette): string {
  const title = `\n${palette.warning('WARNING:')} ${printableLine(rule)}\n${printableLine(message)}\n`;
  const advice = hint === undefined ? '' : `${palette.hint('hint:')} ${printableLine(hint)}\n`;
  return `${title}${printable(excerpt)}${advice}`;
}

/** The same for programs, with the names that BuildKit gives to it all. */
export function checkJson({ file, text, warnings, error }: DockerfileCheck): string {
  return formatJson({
    warnings: warnings.map(({ rule, description, message, hint, range }) => ({
      ruleName: rule,
      description,
      detail: message,
      ...(hint === undefined ? {} : { hint }),
      location: locationOf(range),
    })),
    sources: [{ filename: file, language: 'Dockerfile', data: Buffer.from(text).toString('base64') }],
    ...(error === undefined ? {} : { buildError: { message: error.message, ...placeOf(error) } }),
  });
}

function placeOf({ place, details }: NonNullable<DockerfileCheck['error']>): { location?: SourceLocation } {
  const range = place?.range ?? ('range' in details ? details.range : undefined);
  return range === undefined ? {} : { location: locationOf(range) };
}
