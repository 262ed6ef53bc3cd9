import { type RecordValue, recordKey } from '../cache/record.js';
import type { StepOrigin } from '../cache/step-cache.js';
import { segmentFormat } from '../layer/segment-format.js';
import type { CopyStep, WorkdirStep } from '../plan/step.js';
import type { DirectoryNode } from '../tree/node.js';
import {
  type CommitOptions,
  type CommittedLayer,
  commitLayer,
  latestLayer,
  noteLatest,
  withLayer,
} from './commit-layer.js';
import { copyStep, type TreeChange } from './copy-step.js';
import { openSource } from './open-source.js';
import type { RunOptions, StageResult } from './run-step.js';
import { stepRecord } from './step-record.js';
import type { StepWork } from './work-graph.js';
import { workdirStep } from './workdir-step.js';

/**
 * Looks the layer up by what the step stands on, and carries the step out where that does not find it. For a step that was
 * never carried out there is nothing to find: its files are listed while they are packed.
 */
export async function stepLayer(
  step: CopyStep | WorkdirStep,
  work: StepWork,
  before: StageResult,
  origin: StepOrigin,
  options: RunOptions & Pick<CommitOptions, 'onProgress'>,
): Promise<CommittedLayer> {
  const { cache, files, layers, signal } = options;
  const { fresh } = work;
  const { recipe } = segmentFormat(options.compression, options.level);
  const recordOf = () => stepRecord(work, before.layers, recipe, options);
  const similar = fresh ? undefined : await latestLayer(cache, origin, { signal });
  const known = similar && (await recordOf());
  const look = (record: RecordValue) => layers.find(recordKey(record), () => cache.get(record, { signal }));
  const layer = known && (await look(known.record));
  if (layer !== undefined) {
    files.passOver();
    await noteLatest(cache, origin, layer, similar, { signal });
    return { layer, cached: true, tree: withLayer(before.tree, layer, options) };
  }
  const change = await changeOf(step, await before.tree(), work, options);
  const committed = await commitLayer(before.tree, change.before, change.after, origin, {
    ...options,
    fresh,
    similar,
  });
  const record = known ?? (await recordOf());
  if (record?.settled) await cache.put(record.record, committed.layer, origin, { signal });
  return committed;
}

async function changeOf(
  step: CopyStep | WorkdirStep,
  tree: DirectoryNode,
  { info, epoch, fresh, sources }: StepWork,
  options: RunOptions,
): Promise<TreeChange> {
  switch (step.kind) {
    case 'workdir':
      return { before: tree, after: await workdirStep(tree, step, { ...options, epoch }) };
    case 'copy':
      return await copyStep(tree, step, await openSource(sources[0]!, options), {
        ...options,
        epoch,
        fresh,
        onFetch: (url, bytes, total) => options.onEvent({ kind: 'step-fetch', step: info, url, bytes, total }),
      });
  }
}
