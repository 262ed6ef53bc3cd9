import type { StageGraph } from '../plan/graph.js';
import type { Step } from '../plan/step.js';
import type { StepInfo } from './event.js';
import type { ReadyStage } from './plan-stages.js';

/** A step as it is shown, but for what the build as a whole decides. */
export interface NumberedStep {
  readonly step: Step;
  readonly place: Omit<StepInfo, 'id' | 'platforms'>;
}

/**
 * How the steps of a stage are numbered and named, after BuildKit: the base image, when it is one, is the first step of its
 * stage, then every step that makes a layer; stages have names only when there are several.
 */
export function numberedSteps(graph: StageGraph, { index: stageIndex, plan, base }: ReadyStage): NumberedStep[] {
  const name = graph.stages.length > 1 ? (graph.stages[stageIndex]!.name ?? `stage-${stageIndex}`) : undefined;
  const first = base.kind === 'image' ? 1 : 0;
  const total = first + plan.steps.filter(step => step.kind !== 'config').length;
  let index = first;
  return plan.steps.map(step => {
    const place = { stage: name, title: step.title, line: step.range.start.line };
    return { step, place: step.kind === 'config' ? place : { ...place, index: ++index, total } };
  });
}
