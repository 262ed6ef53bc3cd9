import { type RecordValue, recordKey } from '../../cache/record.js';
import type { StepOrigin } from '../../cache/step-cache.js';
import { segmentFormat } from '../../layer/segment-format.js';
import type { RunMount } from '../../plan/run-mount.js';
import type { RunStep } from '../../plan/step.js';
import type { LayerRef } from '../../tree/node.js';
import { type CommittedLayer, withLayer } from '../commit-layer.js';
import { openSource } from '../open-source.js';
import type { RunOptions, StageResult } from '../run-step.js';
import type { StepWork } from '../work-graph.js';
import { type BoundFiles, boundFiles } from './bound-files.js';
import { commandRecord } from './command-record.js';
import { executeCommand } from './execute-command.js';

/**
 * Carries out a RUN, unless the cache has what it did the last time: then no root is made. One command that several stages
 * or platforms have in common is executed once.
 */
export async function commandStep(
  step: RunStep,
  work: StepWork,
  before: StageResult,
  origin: StepOrigin,
  options: RunOptions,
): Promise<CommittedLayer> {
  const { cache, commands, layers, compression, level, timestamps, signal } = options;
  const { epoch, fresh, platform } = work;
  const bound = await bindSources(step, work, options);
  const held = timestamps === 'clamp' ? epoch : undefined;
  const record = commandRecord(step, {
    layers: before.layers,
    platform,
    settings: commands.settings,
    bound,
    epoch: held,
  });
  const packed = { kind: 'packed', layer: record, recipe: segmentFormat(compression, level).recipe };
  const key = recordKey(packed);
  const stored = await layers.find(key, () => find(packed, record, options));
  const on = (layer: LayerRef, cached: boolean): CommittedLayer => ({
    layer,
    cached,
    tree: withLayer(before.tree, layer, options),
  });
  if (stored !== undefined && !fresh) return on(stored, true);
  const execute = async (): Promise<LayerRef> => {
    const { layer, certain } = await executeCommand({ step, work, before, origin, bound }, options);
    if (!certain) return layer;
    for (const known of [packed, record]) await cache.put(known, layer, origin, { signal });
    return layer;
  };
  return on(await layers.execute(key, execute), false);
}

/** What the command did the last time, compressed as is wanted now. */
async function find(
  packed: RecordValue,
  record: RecordValue,
  { cache, store, compression, level, signal }: RunOptions,
): Promise<LayerRef | undefined> {
  const layer = await cache.get(packed, { signal });
  if (layer !== undefined) return layer;
  const other = await cache.get(record, { signal });
  return other && (await store.recompressLayer(other, { compression, level, signal }));
}

async function bindSources(
  step: RunStep,
  { sources }: StepWork,
  options: RunOptions,
): Promise<ReadonlyMap<RunMount, BoundFiles>> {
  const bound = new Map<RunMount, BoundFiles>();
  const taking = step.mounts.filter(mount => 'from' in mount);
  for (const [place, mount] of taking.entries()) {
    if (mount.type === 'cache' && mount.from.kind === 'scratch') continue;
    bound.set(mount, await boundFiles(mount, await openSource(sources[place]!, options), options));
  }
  return bound;
}
