import type { Instruction } from '../../dockerfile/ast.js';
import type { StageDraft, StepBody } from '../stage-draft.js';
import { lowerArg } from './arg.js';
import { lowerCopy } from './copy.js';
import { lowerEnv, lowerExpose, lowerLabel, lowerVolume } from './metadata.js';
import {
  lowerCommand,
  lowerHealthcheck,
  lowerMaintainer,
  lowerOnbuild,
  lowerShell,
  lowerStopSignal,
  lowerUser,
} from './process.js';
import { lowerRun } from './run.js';
import { lowerWorkdir } from './workdir.js';

/**
 * Expands one instruction and carries out on the draft what it says of the image. `undefined` for those that leave no
 * history entry.
 * @throws LadingError without the place
 */
export function lowerInstruction(instruction: Instruction, draft: StageDraft): StepBody | undefined {
  switch (instruction.kind) {
    case 'ARG':
      return lowerArg(instruction, draft);
    case 'ENV':
      return lowerEnv(instruction, draft);
    case 'LABEL':
      return lowerLabel(instruction, draft);
    case 'EXPOSE':
      return lowerExpose(instruction, draft);
    case 'VOLUME':
      return lowerVolume(instruction, draft);
    case 'WORKDIR':
      return lowerWorkdir(instruction, draft);
    case 'USER':
      return lowerUser(instruction, draft);
    case 'STOPSIGNAL':
      return lowerStopSignal(instruction, draft);
    case 'MAINTAINER':
      return lowerMaintainer(instruction, draft);
    case 'CMD':
    case 'ENTRYPOINT':
      return lowerCommand(instruction, draft);
    case 'SHELL':
      return lowerShell(instruction, draft);
    case 'HEALTHCHECK':
      return lowerHealthcheck(instruction, draft);
    case 'ONBUILD':
      return lowerOnbuild(instruction, draft);
    case 'COPY':
    case 'ADD':
      return lowerCopy(instruction, draft);
    case 'RUN':
      return lowerRun(instruction, draft);
    case 'FROM':
      throw new Error('FROM inside a stage');
  }
}
