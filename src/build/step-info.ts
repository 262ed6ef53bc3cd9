import type { StageGraph } from '../plan/graph.js';
import type { Step } from '../plan/step.js';
import type { StepInfo } from './event.js';
import type { ReadyStage } from './plan-stages.js';

/**
 * How the steps of a build are numbered and named, after BuildKit: the base image, when it is one, is the first step of its
 * stage, then every step that makes a layer; stages have names only when there are several.
 */
export function stepDescriptions(graph: StageGraph, stages: readonly ReadyStage[]): (step: Step) => StepInfo {
  const infos = new Map<Step, StepInfo>();
  let id = 0;
  for (const { index: stageIndex, plan, base } of stages) {
    const name = graph.stages.length > 1 ? (graph.stages[stageIndex]!.name ?? `stage-${stageIndex}`) : undefined;
    const first = base.kind === 'image' ? 1 : 0;
    const total = first + plan.steps.filter(step => step.kind !== 'config').length;
    let index = first;
    for (const step of plan.steps) {
      id += 1;
      const shared = { id, stage: name, title: step.title, line: step.range.start.line };
      infos.set(step, step.kind === 'config' ? shared : { ...shared, index: ++index, total });
    }
  }
  return step => infos.get(step)!;
}
