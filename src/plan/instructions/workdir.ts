import type { ValueInstruction } from '../../dockerfile/ast.js';
import { cleanPathText } from '../../dockerfile/go-text.js';
import { lintWorkdir } from '../lint/workdir.js';
import { expand, type StageDraft, type StepBody, workingDirectory } from '../stage-draft.js';
import { workPath } from '../work-path.js';

/** WORKDIR: a layer even where the folder is there already, except for the root, which always is. */
export function lowerWorkdir(instruction: ValueInstruction, draft: StageDraft): StepBody {
  const { config, platform } = draft;
  const written = expand(draft, instruction.value);
  if (!draft.hasWorkdir) draft.report(lintWorkdir(written, platform.os, instruction));
  draft.hasWorkdir = true;
  const WorkingDir = workPath(config.WorkingDir ?? '', written, platform.os);
  draft.config = { ...config, WorkingDir };
  const path = workingDirectory(draft);
  const createdBy = `WORKDIR ${path}`;
  if (path === '/') return { kind: 'config', createdBy };
  return { kind: 'workdir', createdBy, path: cleanPathText(path), ...(config.User ? { owner: config.User } : {}) };
}
