import { mkdir, mkdtemp, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { removeFiles } from '../../layer/remove-files.js';
import { launcherScript } from '../launcher/guardian.js';
import { launch } from '../launcher/launcher.js';
import type { RootFileSystem, RunRequest, Sandbox } from '../sandbox.js';
import { type TrialMemory, trialKey } from '../tried-before.js';
import { type NamespacePrograms, namespaceFields } from './namespaces.js';
import type { NamespaceRights } from './root-operations.js';

export interface TryNamespacesOptions {
  readonly programs: NamespacePrograms;
  readonly own: { readonly uid: number; readonly gid: number };
  readonly rights: NamespaceRights;
  /** On the disk of the roots. */
  readonly scratch: string;
  /** What has worked on an overlay before is not tried again until the machine is started anew. */
  readonly memory?: TrialMemory | undefined;
}

export type TriedNamespaces =
  | { readonly roots: Sandbox['roots']; readonly withoutOverlay?: string | undefined }
  | { readonly missing: string };

/** Milliseconds. */
const patience = 20_000;

/** Makes namespaces with an empty root, just as for a process: on an overlay where that can be had, else in a folder. */
export async function tryNamespaces(options: TryNamespacesOptions): Promise<TriedNamespaces> {
  const { memory, programs, rights, scratch } = options;
  const { dev } = await stat(scratch);
  const what = ['namespaces', rights, String(dev), launcherScript()];
  const key = memory && trialKey(what, Object.values(programs));
  if (key !== undefined && (await memory!.worked(key))) return { roots: 'overlay' };
  const tried = await triedNow(options);
  if (key !== undefined && 'roots' in tried && tried.roots === 'overlay') await memory!.remember(key);
  return tried;
}

async function triedNow(options: TryNamespacesOptions): Promise<TriedNamespaces> {
  const folder = await mkdtemp(join(options.scratch, 'try-'));
  try {
    const [lower, upper, work] = ['lower', 'upper', 'work'].map(name => join(folder, name));
    for (const path of [lower!, upper!, work!]) await mkdir(path);
    const overlay = await attempt(
      { kind: 'overlay', lower: [lower!], upper: upper!, work: work!, lasting: false },
      options,
    );
    if (overlay === undefined) return { roots: 'overlay' };
    const directory = await attempt({ kind: 'directory', path: lower! }, options);
    return directory === undefined ? { roots: 'directory', withoutOverlay: overlay } : { missing: directory };
  } finally {
    await removeFiles(folder);
  }
}

/** What is in the way, or nothing. */
async function attempt(
  root: RootFileSystem,
  { programs, ...options }: TryNamespacesOptions,
): Promise<string | undefined> {
  const request: RunRequest = {
    ...{ root, argv: [], env: [], cwd: '/', user: { uid: 0, gid: 0, groups: [] }, hostname: 'lading' },
    ...{ network: 'host', extraHosts: [], mounts: [], limits: [], security: 'sandbox', input: 'none' },
    onOutput: () => {},
    signal: AbortSignal.timeout(patience),
  };
  try {
    const ending = await launch({ perl: programs.perl, fields: await namespaceFields(request, options), request });
    return 'failure' in ending ? ending.failure : undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
