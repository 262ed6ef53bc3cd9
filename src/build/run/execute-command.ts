import { setImmediate } from 'node:timers/promises';
import { putFailedCommand } from '../../cache/failed-command.js';
import type { StepOrigin } from '../../cache/step-cache.js';
import { LadingError } from '../../errors/errors.js';
import { diffRuns } from '../../layer/diff.js';
import type { RunMount } from '../../plan/run-mount.js';
import type { RunStep } from '../../plan/step.js';
import type { RunRequest, RunResult } from '../../sandbox/sandbox.js';
import type { RootState, WorkingRoot } from '../../snapshot/roots.js';
import { TreeEditor } from '../../tree/editor.js';
import type { LayerRef } from '../../tree/node.js';
import { type ProcessAccount, processAccount } from '../../tree/process-account.js';
import { commitLayer, latestLayer } from '../commit-layer.js';
import type { RunOptions, StageResult } from '../run-step.js';
import { accountFiles } from '../stage-files.js';
import type { StepWork } from '../work-graph.js';
import type { BoundFiles } from './bound-files.js';
import { commandFailure } from './command-failure.js';
import { openMounts } from './open-mounts.js';
import { outputMask } from './output-mask.js';
import { OutputTail } from './output-tail.js';
import { makeSystemFolders } from './system-folders.js';

/** One command of a build. */
export interface CommandJob {
  readonly step: RunStep;
  readonly work: StepWork;
  /** What it stands on. */
  readonly before: StageResult;
  readonly origin: StepOrigin;
  readonly bound: ReadonlyMap<RunMount, BoundFiles>;
}

export interface ExecutedCommand {
  readonly layer: LayerRef;
  /** Whether the layer is what the command has done in every detail. */
  readonly certain: boolean;
}

/** @throws LadingError RUN_FAILED, OWNERSHIP_UNCERTAIN, SECRET_NOT_FOUND and what the sandbox says */
export async function executeCommand(job: CommandJob, options: RunOptions): Promise<ExecutedCommand> {
  const { before, origin, work } = job;
  const { commands, signal, store } = options;
  const { settings } = commands;
  const giveUp = (await settings.sandbox()).expect?.();
  let opened: OpenedJob | undefined;
  try {
    opened = await openJob(job, options);
    const { root, state, account } = opened;
    const { tree } = state;
    const { result, output, tier } = await runJob(job, opened, options);
    const ran = { owners: result.owners, user: account };
    if (result.exitCode !== 0) {
      settings.onFailure?.(() => openShell(job, options));
      if (settings.keepFailed) {
        const { layer } = await store.packLayer(diffRuns(tree, await root.changes(ran, { signal })), {
          compression: 'none',
          signal,
        });
        const { title, file, line } = origin;
        const failed = { title, file, line, exitCode: result.exitCode, before: before.layers, layer };
        await putFailedCommand(store, failed, { signal });
      }
      throw commandFailure(job.step, result, { output, tier, kept: settings.keepFailed });
    }
    const clamp = options.timestamps === 'clamp' ? (time: number) => Math.min(time, work.epoch) : undefined;
    const after = await root.changes(ran, { clamp, signal });
    const uncertain = checkOwners(job, result, options);
    const similar = work.fresh ? undefined : await latestLayer(options.cache, origin, { signal });
    const committing = { ...options, fresh: work.fresh, similar };
    const committed = await commitLayer(before.tree, tree, after, origin, committing);
    const layers = [...before.layers, committed.layer];
    await root.keep({ ...state, layers, tree: await committed.tree() });
    return { layer: committed.layer, certain: !uncertain };
  } finally {
    await opened?.root.close();
    await giveUp?.();
  }
}

/** A shell on the terminal of the builder, among the files that the command began with; what is done there is forgotten. */
async function openShell(job: CommandJob, { signal: _, ...options }: RunOptions): Promise<void> {
  const opened = await openJob(job, options);
  try {
    await runJob(job, opened, options, { argv: ['/bin/sh'], input: 'inherit' });
  } finally {
    await opened.root.close();
  }
}

interface RanJob {
  readonly result: RunResult;
  /** The last lines. */
  readonly output: string;
  /** How it was run. */
  readonly tier: string;
}

interface OpenedJob {
  readonly root: WorkingRoot;
  readonly state: RootState;
  readonly account: ProcessAccount;
}

async function openJob({ step, work, before }: CommandJob, options: RunOptions): Promise<OpenedJob> {
  const { commands, files, signal } = options;
  const [tree, roots] = await Promise.all([before.tree(), commands.settings.roots()]);
  const account = processAccount(step.user, await accountFiles(tree, files, { signal }));
  const state = { layers: before.layers, baseLayers: before.baseLayers, tree };
  const root = await roots.open(state, { signal });
  try {
    makeSystemFolders(root.root, tree, work.epoch);
  } catch (error) {
    await root.close();
    throw error;
  }
  return { root, state, account };
}

async function runJob(
  { step, work, bound }: CommandJob,
  { root, account, state }: OpenedJob,
  options: RunOptions,
  instead: Partial<RunRequest> = {},
): Promise<RanJob> {
  const { commands, temporary, signal, onEvent } = options;
  const { settings, folders } = commands;
  const { tree } = state;
  const opened = await openMounts(step, { settings, bound, folders, tree, fresh: work.fresh, temporary, signal });
  const owners = new TreeEditor(tree);
  const tail = new OutputTail();
  const masks = { stdout: outputMask(opened.secrets), stderr: outputMask(opened.secrets) };
  const show = (stream: 'stdout' | 'stderr', chunk: Buffer): void => {
    if (chunk.length === 0) return;
    tail.add(chunk);
    onEvent({ kind: 'output', step: work.info, stream, chunk });
  };
  try {
    const sandbox = await settings.sandbox();
    const running = sandbox.run({
      root: root.root,
      argv: step.argv,
      env: environment(step, opened.env, account.home),
      cwd: step.cwd,
      user: { uid: account.uid, gid: account.gid, groups: [...new Set([account.gid, ...account.groups])] },
      hostname: settings.hostname,
      platform: work.platform,
      network: settings.network ?? networkOf(step),
      extraHosts: settings.extraHosts,
      mounts: opened.mounts,
      shmSizeBytes: settings.shmSizeBytes,
      limits: settings.limits,
      ownerBefore: path => owners.get(path),
      security: step.security === 'insecure' ? 'insecure' : 'sandbox',
      input: 'none',
      onOutput: (stream, chunk) => show(stream, masks[stream].add(chunk)),
      signal,
      ...instead,
    });
    const [result] = await Promise.all([running, getReady(options)]);
    for (const stream of ['stdout', 'stderr'] as const) show(stream, masks[stream].end());
    return { result, output: tail.text, tier: sandbox.tier };
  } finally {
    await opened.close();
  }
}

/** While a process runs there is time for what its layer is going to need. What fails in it is told by who needs it. */
async function getReady({ store, files, signal }: RunOptions): Promise<void> {
  // The process comes first.
  await setImmediate();
  await Promise.allSettled([store.readyToPack(), files.ready({ signal })]);
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
  { step, work }: CommandJob,
  { uncertain = [] }: RunResult,
  { commands, onEvent }: RunOptions,
): boolean {
  if (uncertain.length === 0) return false;
  const shown = uncertain.slice(0, 5).map(path => `/${path.toWellFormed()}`);
  const more = uncertain.length > shown.length ? ` and ${uncertain.length - shown.length} more` : '';
  const message = `${work.info.title}: it is not known whom ${shown.join(', ')}${more} belong to`;
  if (!commands.settings.strictOwnership) {
    onEvent({ kind: 'warning', message });
    return true;
  }
  throw new LadingError('OWNERSHIP_UNCERTAIN', message, {
    details: { range: step.range, paths: uncertain },
    hint: 'Build where owners are kept ("lading doctor" says how), or leave --strict-ownership out.',
  });
}
