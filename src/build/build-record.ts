import type { Platform } from '../oci/platform.js';
import { sourceKind } from '../plan/remote-source.js';
import type { CopyStep, FileOrigin } from '../plan/step.js';
import { stepOrigins } from '../plan/step-origins.js';
import type { BuildContext } from './copy-sources.js';
import { findNamedContext, type NamedContexts } from './inputs.js';
import type { Material } from './material.js';
import type { PlannedPlatform } from './plan-build.js';

/** A secret or an agent that a step asks for. */
export interface BorrowedThing {
  readonly id: string;
  readonly optional: boolean;
}

/** What the caller of a build has asked for. */
export interface BuildRequest {
  /** Options by the names that BuildKit's frontend has for them: `target`, `build-arg:NAME`, `label:NAME` … */
  readonly args: Readonly<Record<string, string>>;
  /** Where the Dockerfile comes from, when it is not on this machine. */
  readonly origin?: Material | undefined;
}

/** What the image of one platform was made of, and what was asked for: all that a provenance statement is written from. */
export interface BuildRecord {
  readonly request: BuildRequest;
  readonly dockerfile: { readonly text: string; readonly file: string };
  readonly buildPlatform: Platform;
  readonly materials: readonly Material[];
  /** Names of contexts of this machine that were copied from. */
  readonly locals: readonly string[];
  readonly secrets: readonly BorrowedThing[];
  readonly agents: readonly BorrowedThing[];
  /** A command could have reached the network. */
  readonly network: boolean;
}

/** What the steps of the stages of a build take from outside, as far as a plan can tell. */
export function plannedInputs(
  { stages, platform }: Pick<PlannedPlatform, 'stages' | 'platform'>,
  context: BuildContext,
  contexts: NamedContexts,
  /** Of commands, instead of what they say. */
  network?: string | undefined,
): Pick<BuildRecord, 'locals' | 'secrets' | 'agents' | 'network'> {
  const steps = stages.flatMap(stage => stage.plan.steps);
  const runs = steps.filter(step => step.kind === 'run');
  const mounts = runs.flatMap(run => run.mounts);
  const bases = stages.flatMap(({ base }) =>
    base.kind === 'context' && base.context.kind === 'directory' ? [base.name] : [],
  );
  const origins = steps.filter(step => step.kind !== 'copy' || takesFiles(step)).flatMap(stepOrigins);
  const locals = [...bases, ...origins.flatMap(origin => localName(origin, platform, context, contexts))];
  return {
    locals: [...new Set(locals)].sort(),
    secrets: borrowed(mounts.filter(mount => mount.type === 'secret')),
    agents: borrowed(mounts.filter(mount => mount.type === 'ssh')),
    network: runs.some(run => (network ?? run.network) !== 'none'),
  };
}

/** Whether a COPY or ADD takes anything from its context: here-documents and addresses are not in it. */
function takesFiles({ instruction, sources }: CopyStep): boolean {
  return sources.some(source => instruction === 'COPY' || sourceKind(source) === 'path');
}

function localName(origin: FileOrigin, platform: Platform, context: BuildContext, contexts: NamedContexts): string[] {
  if (origin.kind === 'context') return context.origin === undefined ? ['context'] : [];
  const found = origin.kind === 'named' ? findNamedContext(contexts, origin.name, platform) : undefined;
  return found?.context.kind === 'directory' ? [found.name] : [];
}

/** Each once, by name; one that is required anywhere is required. */
function borrowed(mounts: ReadonlyArray<{ readonly id: string; readonly required: boolean }>): BorrowedThing[] {
  const ids = [...new Set(mounts.map(mount => mount.id))].sort();
  return ids.map(id => ({ id, optional: !mounts.some(mount => mount.id === id && mount.required) }));
}
