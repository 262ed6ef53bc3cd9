import { redactUrl } from '../errors/redact.js';
import { packageUrl } from '../oci/package-url.js';
import type { Platform } from '../oci/platform.js';
import { parseReference } from '../oci/reference.js';
import { formatGitReference, type GitReference, parseGitReference } from '../plan/git-reference.js';
import type { CopyStep } from '../plan/step.js';
import { stepOrigins } from '../plan/step-origins.js';
import {
  type FilesContext,
  findNamedContext,
  type GitCheckout,
  type GitRepositories,
  type NamedContexts,
  type RemoteFiles,
} from './inputs.js';
import type { Material } from './material.js';
import { imageKey, type OpenedImages } from './open-images.js';
import type { PlannedPlatform } from './plan-build.js';
import type { Work } from './work-graph.js';

/** Files of the web and repositories, with a note of what each address gave. */
export function fetchLog(sources: { readonly remote: RemoteFiles; readonly git: GitRepositories }): {
  readonly remote: RemoteFiles;
  readonly git: GitRepositories;
  readonly fetched: ReadonlyMap<string, Material>;
} {
  const fetched = new Map<string, Material>();
  const remote: RemoteFiles = {
    fetch: async (url, call) => {
      const file = await sources.remote.fetch(url, call);
      fetched.set(url, { uri: redactUrl(url), digest: file.blob.digest });
      return file;
    },
  };
  const git: GitRepositories = {
    checkout: async (reference, call) => {
      const checkout = await sources.git.checkout(reference, call);
      fetched.set(JSON.stringify(reference), repositoryMaterial(reference, checkout));
      return checkout;
    },
  };
  return { remote, git, fetched };
}

/** A commit as a material: its hash is said to be of the kind that it has the length of. */
export function repositoryMaterial(reference: GitReference, { commit }: GitCheckout): Material {
  const algorithm = commit.length === 64 ? 'sha256' : 'sha1';
  return { uri: formatGitReference(reference), digest: `${algorithm}:${commit}` };
}

/** Where the named contexts that were fetched for a build come from, by their full names. */
export async function fetchedOrigins(work: readonly Work[]): Promise<ReadonlyMap<string, Material>> {
  const used = work.flatMap((piece): readonly FilesContext[] => {
    if (piece.kind === 'start') return piece.base.kind === 'context' ? [piece.base] : [];
    return piece.sources.flatMap(source => (source.kind === 'named' ? source : []));
  });
  const origins = new Map<string, Material>();
  for (const { name, context } of used) {
    // It is open already.
    const { origin } = context.kind === 'fetched' ? await context.open() : {};
    if (origin !== undefined) origins.set(name, origin);
  }
  return origins;
}

export interface MaterialSources {
  readonly opened: OpenedImages;
  readonly contexts: NamedContexts;
  /** What the addresses of ADD gave. */
  readonly fetched: ReadonlyMap<string, Material>;
  /** Where named contexts that were fetched come from, by their full names. */
  readonly origins: ReadonlyMap<string, Material>;
}

/** The images, repositories and files of the web that a platform was built from, each once, by address. */
export function materialsOf(planned: PlannedPlatform, sources: MaterialSources): readonly Material[] {
  const { graph, stages, platform } = planned;
  const bases = stages.flatMap(({ index }) => {
    const { base, platform } = graph.stages[index]!;
    return base.kind === 'image' ? imageMaterial(base.reference, platform, sources) : [];
  });
  const steps = stages.flatMap(stage => stage.plan.steps);
  const copied = steps
    .flatMap(stepOrigins)
    .flatMap(origin => (origin.kind === 'named' ? imageMaterial(origin.name, platform, sources) : []));
  const files = steps.flatMap(step =>
    step.kind === 'copy' && step.instruction === 'ADD' ? addedMaterials(step, sources) : [],
  );
  const unique = new Map([...bases, ...copied, ...files].map(each => [`${each.uri} ${each.digest}`, each]));
  return [...unique].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, material]) => material);
}

function addedMaterials(step: CopyStep, { fetched }: MaterialSources): Material[] {
  return step.sources.flatMap(source => {
    const reference = parseGitReference(source, step);
    return fetched.get(reference === undefined ? source : JSON.stringify(reference)) ?? [];
  });
}

/** A name in the Dockerfile that means an image, or a context that was fetched; one of a folder means none. */
function imageMaterial(name: string, platform: Platform, { opened, contexts, origins }: MaterialSources): Material[] {
  const image = opened.get(imageKey(name, platform));
  if (image === undefined) return asList(origins.get(findNamedContext(contexts, name, platform)?.name ?? ''));
  return [{ uri: imageUrl(name, platform, contexts), digest: image.descriptor.digest }];
}

function imageUrl(name: string, platform: Platform, contexts: NamedContexts): string {
  const found = findNamedContext(contexts, name, platform);
  const reference = found?.context.kind === 'image' ? found.context.reference : name;
  if (reference !== undefined) return packageUrl('docker', parseReference(reference), platform);
  // What lies in a layout is called what the build calls it, whether or not that is the name of an image.
  return packageUrl('oci', { registry: 'docker.io', repository: found!.name }, platform);
}

function asList<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value];
}
