import type {
  CommandInstruction,
  CommandLine,
  HealthcheckInstruction,
  OnbuildInstruction,
  ShellInstruction,
  ValueInstruction,
} from '../../dockerfile/ast.js';
import type { Healthcheck } from '../../oci/config.js';
import { commandText, healthcheckText, listText } from '../history.js';
import { lintCommandForm, lintRepeated } from '../lint/commands.js';
import { parseSignal } from '../parse-signal.js';
import { defaultShell } from '../platform-defaults.js';
import { expand, type StageDraft, type StepBody } from '../stage-draft.js';

/**
 * CMD and ENTRYPOINT. ENTRYPOINT drops the CMD of the base, be it an image or a stage, for it was meant for another
 * program; one that the stage itself has given stays.
 */
export function lowerCommand(instruction: CommandInstruction, draft: StageDraft): StepBody {
  const { kind, command } = instruction;
  draft.report(lintRepeated(instruction, draft.given.get(kind)));
  draft.report(lintCommandForm(instruction, draft.config.Shell));
  draft.given.set(kind, instruction.range);
  const argv = commandArguments(command, draft);
  if (kind === 'CMD') {
    draft.config = { ...draft.config, Cmd: argv, ArgsEscaped: true };
  } else {
    draft.config = { ...draft.config, Entrypoint: argv, Cmd: draft.given.has('CMD') ? draft.config.Cmd : undefined };
  }
  return { kind: 'config', createdBy: commandText(kind, argv) };
}

/** The arguments of a command; the shell form gets the shell in force. */
export function commandArguments(command: CommandLine, draft: StageDraft): readonly string[] {
  return command.form === 'exec' ? command.argv : [...shellInForce(draft), command.text];
}

export function shellInForce({ config, platform }: StageDraft): readonly string[] {
  return config.Shell?.length ? config.Shell : defaultShell(platform);
}

export function lowerShell({ shell }: ShellInstruction, draft: StageDraft): StepBody {
  draft.config = { ...draft.config, Shell: shell };
  return { kind: 'config', createdBy: listText('SHELL', shell) };
}

/** HEALTHCHECK replaces that of the base as a whole. Its shell is chosen when it runs, so SHELL does not show in it. */
export function lowerHealthcheck(instruction: HealthcheckInstruction, draft: StageDraft): StepBody {
  draft.report(lintRepeated(instruction, draft.given.get('HEALTHCHECK')));
  draft.given.set('HEALTHCHECK', instruction.range);
  const Healthcheck = healthcheckOf(instruction.check);
  draft.config = { ...draft.config, Healthcheck };
  return { kind: 'config', createdBy: healthcheckText(Healthcheck) };
}

function healthcheckOf(check: HealthcheckInstruction['check']): Healthcheck {
  if (check.type === 'none') return { Test: ['NONE'] };
  const { command, interval, timeout, startPeriod, startInterval, retries } = check;
  const Test = command.form === 'exec' ? ['CMD', ...command.argv] : ['CMD-SHELL', command.text];
  return {
    Test,
    ...(interval && { Interval: interval }),
    ...(timeout && { Timeout: timeout }),
    ...(startPeriod && { StartPeriod: startPeriod }),
    ...(startInterval && { StartInterval: startInterval }),
    ...(retries && { Retries: retries }),
  };
}

/** USER is looked up when something runs, not here: the image may not have the user yet. */
export function lowerUser({ value }: ValueInstruction, draft: StageDraft): StepBody {
  const User = expand(draft, value);
  draft.config = { ...draft.config, User };
  return { kind: 'config', createdBy: `USER ${User}` };
}

export function lowerStopSignal({ value }: ValueInstruction, draft: StageDraft): StepBody {
  const StopSignal = parseSignal(expand(draft, value));
  draft.config = { ...draft.config, StopSignal };
  return { kind: 'config', createdBy: `STOPSIGNAL ${StopSignal}` };
}

export function lowerMaintainer({ value }: ValueInstruction, draft: StageDraft): StepBody {
  draft.author = value;
  return { kind: 'config', createdBy: `MAINTAINER ${value}` };
}

/** ONBUILD is kept as it is written, for the stage that is built on this one. */
export function lowerOnbuild({ trigger }: OnbuildInstruction, draft: StageDraft): undefined {
  draft.config = { ...draft.config, OnBuild: [...(draft.config.OnBuild ?? []), trigger] };
  return undefined;
}
