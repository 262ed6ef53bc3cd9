import { codeDigest } from '../cache/code-digest.js';
import type { RecordValue } from '../cache/record.js';
import { sourceKind } from '../plan/remote-source.js';
import type { CopyStep, Step } from '../plan/step.js';
import { identityNumbers } from '../tree/host-identity.js';
import type { LayerRef } from '../tree/node.js';
import { settledFrom } from '../tree/settled.js';
import type { Timestamps } from './copy/clamp.js';
import { type CopySource, type FoundSource, findSources } from './copy-step.js';
import { layersOfSource, type OpenSourceOptions, openSource } from './open-source.js';
import type { StepWork } from './work-graph.js';

/** Changes when the record says the same in another way. */
const formatVersion = 1;

export interface StepRecordOptions extends OpenSourceOptions {
  readonly timestamps: Timestamps;
  /** In ms since 1970, not later than the first file is looked at. */
  readonly now: number;
}

export interface StepRecord {
  readonly record: RecordValue;
  /**
   * Whether the record can mean no other files than those that were there when it was made. One that could must not be
   * kept: see `settled.ts`.
   */
  readonly settled: boolean;
}

/**
 * The record of all that a step stands on: its text, the layers below, and what `stat` says of the files that it takes. A
 * short cut to the layer that the step has come to before with all of that being the same; what the layer is, its own
 * record says. `undefined` for a step of which nothing tells but carrying it out.
 *
 * The layers stand for the trees: equal layers are equal trees. So neither has to be made for a step that is found.
 */
export async function stepRecord(
  { step, epoch, sources }: StepWork,
  below: readonly LayerRef[],
  recipe: string,
  options: StepRecordOptions,
): Promise<StepRecord | undefined> {
  if (step.kind !== 'copy' && step.kind !== 'workdir') return undefined;
  let files: FoundFiles = { record: null, settledFrom: 0 };
  if (step.kind === 'copy') {
    const layers = layersOfSource(sources[0]!, options);
    if (step.sources.some(source => step.instruction === 'ADD' && sourceKind(source) !== 'path')) return undefined;
    const found =
      layers === undefined ? await foundFiles(step, await openSource(sources[0]!, options), options) : ofLayers(layers);
    if (found === undefined) return undefined;
    files = found;
  }
  const record = {
    kind: 'step',
    version: formatVersion,
    code: codeDigest,
    recipe,
    step: withoutPlace(step),
    epoch,
    timestamps: options.timestamps,
    below: layerRecords(below),
    files: files.record,
  };
  return { record, settled: files.settledFrom <= options.now * 1e6 };
}

interface FoundFiles {
  readonly record: RecordValue;
  /** See `settled.ts`. */
  readonly settledFrom: number;
}

/** Of those that a folder of this machine has. What a step leaves out of a folder counts all the same, so it must not be much. */
async function foundFiles(
  step: CopyStep,
  source: CopySource,
  options: StepRecordOptions,
): Promise<FoundFiles | undefined> {
  if (source.fingerprint === undefined || step.parents || step.exclude.length > 0) return undefined;
  const records: RecordValue[] = [];
  let settledFrom = 0;
  for (const written of step.sources) {
    const found: RecordValue[] = [];
    for (const each of findSources(written, written, source)) {
      const file = await foundFile(each, source, options);
      if (file === undefined) return undefined;
      found.push(file.record);
      settledFrom = Math.max(settledFrom, file.settledFrom);
    }
    records.push(found);
  }
  return { record: records, settledFrom };
}

/** Its name is part of it: a file that is copied into a folder keeps it. */
async function foundFile(
  { path, node, place }: FoundSource,
  { fingerprint }: CopySource,
  options: StepRecordOptions,
): Promise<FoundFiles | undefined> {
  const { type, mode, uid, gid, mtime, mtimeNanoseconds } = node;
  const record = { path, type, mode, uid, gid, mtime, mtimeNanoseconds };
  if (node.type === 'directory') {
    const { digest, settledFrom } = await fingerprint!(place, options);
    return { record: { ...record, digest }, settledFrom };
  }
  if (node.type !== 'file' || node.content.kind !== 'host' || node.xattrs !== undefined) return undefined;
  const { dev, ino, size, mtimeNs, ctimeNs } = identityNumbers(node.content.identity);
  const identity = [dev, ino, size, mtimeNs, ctimeNs].map(String);
  return { record: { ...record, identity }, settledFrom: settledFrom(Number(mtimeNs), Number(ctimeNs)) };
}

function ofLayers(layers: readonly LayerRef[]): FoundFiles {
  return { record: layerRecords(layers), settledFrom: 0 };
}

function layerRecords(layers: readonly LayerRef[]): RecordValue {
  return layers.map(({ diffId, blob }) => [diffId, blob.digest]);
}

/** Where it stands in the file and how it is shown there changes nothing. */
function withoutPlace({ range: _, title: __, createdBy: ___, ...step }: Step): RecordValue {
  return step as unknown as RecordValue;
}
