import type { Instruction } from '../dockerfile/ast.js';
import { parseOnbuildTrigger } from '../dockerfile/parser.js';
import { isLadingError, LadingError, type SourceRange } from '../errors/errors.js';
import { redactUserinfo } from '../errors/redact.js';
import type { ContainerConfig, ImageConfig } from '../oci/config.js';
import type { Platform } from '../oci/platform.js';
import type { BaseInput, PlanOptions, StageGraph } from './graph.js';
import { lowerInstruction } from './instructions/instruction.js';
import { lintBasePlatform } from './lint/base-platform.js';
import { collectFindings } from './lint/findings.js';
import { isNamedContext } from './named-context.js';
import { defaultPath } from './platform-defaults.js';
import { placed, shortened } from './refusal.js';
import { finishDraft, type StageDraft, startDraft } from './stage-draft.js';
import type { StagePlan, StageState, Step } from './step.js';

/**
 * The steps of one stage on a known base: first the triggers that the base carries, then the stage's own instructions.
 * Each instruction gives one step, and each step one history entry; ONBUILD gives none.
 * @throws LadingError DOCKERFILE_SYNTAX, BAD_SUBSTITUTION, INVALID_VALUE, UNSUPPORTED, each with the place
 */
export function planStage(graph: StageGraph, index: number, base: BaseInput, options: PlanOptions): StagePlan {
  const { instructions, name, range, base: origin, platform } = graph.stages[index]!;
  const { names, stages, scope: globals } = graph;
  const { namedContexts, targetPlatform } = options;
  const { findings: diagnostics, report } = collectFindings(options.onFinding);
  if (origin.kind === 'image' && base.fromImage && !isNamedContext(origin.reference, platform, namedContexts)) {
    report(lintBasePlatform(origin.reference, platform, base.state.platform, range));
  }
  const place = {
    index,
    place: { range, comments: [] },
    report,
    contextIgnore: options.contextIgnore,
    label: name ?? (stages.length === 1 ? '' : `stage-${index}`),
    escape: graph.escape,
    globals,
    references: { names, stages, namedContexts, targetPlatform, escape: graph.escape },
  };
  const draft = placed(range, () => startDraft(base.state, place));
  const triggers = (base.state.config.OnBuild ?? []).map(text => parseTrigger(text, range, base.fromImage));
  const steps = [
    ...triggers.flatMap(trigger => lowered(trigger, draft, 'ONBUILD ')),
    ...instructions.flatMap(instruction => lowered(instruction, draft)),
  ];
  return { steps, state: finishDraft(draft), stages: [...draft.used], diagnostics };
}

function lowered(instruction: Instruction, draft: StageDraft, prefix = ''): Step[] {
  const { range } = instruction;
  draft.place = instruction;
  draft.missed.clear();
  const body = placed(range, () => lowerInstruction(instruction, draft));
  return body === undefined ? [] : [{ ...body, title: prefix + titleOf(instruction), range }];
}

/** What a stage `FROM scratch` starts with. */
export function scratchState(platform: Platform): StageState {
  const path = defaultPath(platform);
  const config: ContainerConfig = { ...(path === undefined ? {} : { Env: [`PATH=${path}`] }), WorkingDir: '/' };
  return { platform, config, args: [] };
}

/** What a stage on an image starts with. The platform is what the image says of itself, `platform` where it says nothing. */
export function stateFromImage(image: ImageConfig, platform: Platform): StageState {
  const { os, architecture, variant, author } = image;
  const said =
    os === '' || architecture === ''
      ? platform
      : {
          os,
          architecture,
          ...(variant ? { variant } : {}),
          ...(image['os.version'] ? { 'os.version': image['os.version'] } : {}),
          ...(image['os.features']?.length ? { 'os.features': image['os.features'] } : {}),
        };
  return { platform: said, config: image.config ?? {}, ...(author ? { author } : {}), args: [] };
}

/** The configuration of the image that a stage ends in, with labels from outside the Dockerfile, which win. */
export function finalConfig(state: StageState, labels: Readonly<Record<string, string>> = {}): ContainerConfig {
  const merged = Object.fromEntries([...Object.entries(state.config.Labels ?? {}), ...Object.entries(labels)]);
  return Object.keys(merged).length === 0 ? state.config : { ...state.config, Labels: merged };
}

/**
 * The platform that an image is said to be of: the one that was asked for, if any was, else what its base says. What only
 * the base says more exactly stays, as long as it says it of the same kind of machine.
 */
export function finalPlatform({ platform: said }: StageState, asked: Platform | undefined): Platform {
  if (asked === undefined) return said;
  if (said.os !== asked.os || said.architecture !== asked.architecture) return asked;
  const stated = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
  return { ...said, ...stated };
}

/** Triggers stand in no file of this build: they are placed at the FROM that brings them in. */
function parseTrigger(text: string, range: SourceRange, fromImage: boolean): Instruction {
  try {
    return { ...parseOnbuildTrigger(text), range };
  } catch (error) {
    if (!isLadingError(error)) throw error;
    const hint = fromImage ? 'The base image carries it: use another one, or have it repaired.' : undefined;
    throw new LadingError('DOCKERFILE_SYNTAX', `ONBUILD ${shortened(text)}: ${error.message}`, {
      details: { range },
      hint,
      place: { range },
      cause: error,
    });
  }
}

/** The keyword in capitals and the rest as it is written, but for passwords in addresses. */
function titleOf({ keyword, original }: Instruction): string {
  const text = original.trim();
  return shortened(keyword.toUpperCase() + redactUserinfo(text.slice(keyword.length)));
}
