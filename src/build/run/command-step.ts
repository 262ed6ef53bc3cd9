import { type RecordValue, recordKey } from '../../cache/record.js';
import type { StepOrigin } from '../../cache/step-cache.js';
import { LadingError } from '../../errors/errors.js';
import { segmentFormat } from '../../layer/segment-format.js';
import type { RunMount } from '../../plan/run-mount.js';
import type { RunStep } from '../../plan/step.js';
import type { RunRequest, RunResult } from '../../sandbox/sandbox.js';
import { TreeEditor } from '../../tree/editor.js';
import type { DirectoryNode, LayerRef } from '../../tree/node.js';
import { type ProcessAccount, processAccount } from '../../tree/process-account.js';
import { type CommittedLayer, commitLayer, latestLayer, withLayer } from '../commit-layer.js';
import { openSource } from '../open-source.js';
import type { RunOptions, StageResult } from '../run-step.js';
import { accountFiles } from '../stage-files.js';
import type { StepWork } from '../work-graph.js';
import { type BoundFiles, boundFiles } from './bound-files.js';
import { commandFailure } from './command-failure.js';
import { commandRecord } from './command-record.js';
import { openMounts } from './open-mounts.js';
import { outputMask } from './output-mask.js';
import { OutputTail } from './output-tail.js';
import { makeSystemFolders } from './system-folders.js';

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
  const { cache, commands, layers, store, compression, level, timestamps, signal } = options;
  const { epoch, fresh, platform } = work;
  const bound = await bindSources(step, work, options);
  const held = timestamps === 'keep' ? undefined : epoch;
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
    tree: withLayer(before.tree, layer, store),
  });
  if (stored !== undefined && !fresh) return on(stored, true);
  const execute = async (): Promise<LayerRef> => {
    const { layer, certain } = await executed(step, work, before, origin, bound, options);
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

interface Executed {
  readonly layer: LayerRef;
  /** Whether the layer is what the command has done in every detail. */
  readonly certain: boolean;
}

async function executed(
  step: RunStep,
  work: StepWork,
  before: StageResult,
  origin: StepOrigin,
  bound: ReadonlyMap<RunMount, BoundFiles>,
  options: RunOptions,
): Promise<Executed> {
  const { commands, files, signal } = options;
  const { settings } = commands;
  const { epoch } = work;
  const tree = await before.tree();
  const account = processAccount(step.user, await accountFiles(tree, files, { signal }));
  const state = { layers: before.layers, baseLayers: before.baseLayers, tree };
  const root = await (await settings.roots()).open(state, { signal });
  try {
    makeSystemFolders(root.root, tree, epoch);
    const result = await ran(step, work, account, bound, { root: root.root, tree }, options);
    const clamp = options.timestamps === 'keep' ? undefined : (time: number) => Math.min(time, epoch);
    const user = { uid: account.uid, gid: account.gid };
    const after = await root.changes({ owners: result.owners, user }, { clamp, signal });
    const uncertain = checkOwners(step, result, work, options);
    const similar = work.fresh ? undefined : await latestLayer(options.cache, origin, { signal });
    const committing = { ...options, fresh: work.fresh, similar };
    const committed = await commitLayer(before.tree, tree, after, origin, committing);
    const layers = [...before.layers, committed.layer];
    await root.keep({ ...state, layers, tree: await committed.tree() });
    return { layer: committed.layer, certain: !uncertain };
  } finally {
    await root.close();
  }
}

async function ran(
  step: RunStep,
  work: StepWork,
  account: ProcessAccount,
  bound: ReadonlyMap<RunMount, BoundFiles>,
  { root, tree }: { readonly root: RunRequest['root']; readonly tree: DirectoryNode },
  options: RunOptions,
): Promise<RunResult> {
  const { commands, temporary, signal, onEvent } = options;
  const { settings, folders } = commands;
  const opened = await openMounts(step, { settings, bound, folders, fresh: work.fresh, temporary, signal });
  const before = new TreeEditor(tree);
  const tail = new OutputTail();
  const masks = { stdout: outputMask(opened.secrets), stderr: outputMask(opened.secrets) };
  const show = (stream: 'stdout' | 'stderr', chunk: Buffer): void => {
    if (chunk.length === 0) return;
    tail.add(chunk);
    onEvent({ kind: 'output', step: work.info, stream, chunk });
  };
  try {
    const sandbox = await settings.sandbox();
    const result = await sandbox.run({
      root,
      argv: step.argv,
      env: environment(step, opened.env, account.home),
      cwd: step.cwd,
      user: { uid: account.uid, gid: account.gid, groups: account.groups.filter(group => group !== account.gid) },
      hostname: settings.hostname,
      network: settings.network ?? networkOf(step),
      extraHosts: settings.extraHosts,
      mounts: opened.mounts,
      shmSizeBytes: settings.shmSizeBytes,
      limits: settings.limits,
      ownerBefore: path => before.get(path),
      security: step.security === 'insecure' ? 'insecure' : 'sandbox',
      input: 'none',
      onOutput: (stream, chunk) => show(stream, masks[stream].add(chunk)),
      signal,
    });
    for (const stream of ['stdout', 'stderr'] as const) show(stream, masks[stream].end());
    if (result.exitCode === 0) return result;
    throw commandFailure(step, result, { output: tail.text, tier: sandbox.tier });
  } finally {
    await opened.close();
  }
}

/** Later ones replace earlier ones: proxies, then secrets; HOME is what the accounts say where nothing else does. */
function environment(step: RunStep, secrets: ReadonlyMap<string, string>, home: string): string[] {
  const env = new Map<string, string>();
  for (const entry of [...step.env, ...step.proxyEnv]) {
    const equals = entry.indexOf('=');
    env.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  for (const [name, value] of secrets) env.set(name, value);
  if (!env.get('HOME')) env.set('HOME', home);
  return [...env].map(([name, value]) => `${name}=${value}`);
}

function networkOf({ network }: RunStep): RunRequest['network'] {
  return network === 'none' || network === 'host' ? network : 'default';
}

/** @returns whether there is anything that could not be followed */
function checkOwners(
  step: RunStep,
  { uncertain = [] }: RunResult,
  { info }: StepWork,
  { commands, onEvent }: RunOptions,
): boolean {
  if (uncertain.length === 0) return false;
  const shown = uncertain.slice(0, 5).map(path => `/${path.toWellFormed()}`);
  const more = uncertain.length > shown.length ? ` and ${uncertain.length - shown.length} more` : '';
  const message = `${info.title}: it is not known whom ${shown.join(', ')}${more} belong to`;
  if (!commands.settings.strictOwnership) {
    onEvent({ kind: 'warning', message });
    return true;
  }
  throw new LadingError('OWNERSHIP_UNCERTAIN', message, {
    details: { range: step.range, paths: uncertain },
    hint: 'Build where owners are kept ("lading doctor" says how), or leave --strict-ownership out.',
  });
}
