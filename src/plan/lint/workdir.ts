import { quote } from '../../dockerfile/go-text.js';
import { type Finding, type FindingPlace, finding } from '../../dockerfile/lint/finding.js';

/** WorkdirRelativePath, of the first WORKDIR of a stage and those below it. `path` is expanded. */
export function lintWorkdir(path: string, os: string, place: FindingPlace): Finding[] {
  const isAbsolute = os === 'windows' ? /^(?:[A-Za-z]:)?[\\/]/.test(path) : path.startsWith('/');
  if (isAbsolute) return [];
  const message = `Relative workdir ${quote(path)} can have unexpected results if the base image changes`;
  return [finding('WorkdirRelativePath', place, message, 'Start with a path that begins with /.')];
}
