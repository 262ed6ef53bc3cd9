import { redactUrl } from '../errors/redact.js';
import type { Digest } from '../oci/digest.js';
import { packageUrl } from '../oci/package-url.js';
import type { Platform } from '../oci/platform.js';
import { parseReference } from '../oci/reference.js';
import { sourceKind } from '../plan/remote-source.js';
import { stepOrigins } from '../plan/step-origins.js';
import { findNamedContext, type NamedContexts, type RemoteFiles } from './inputs.js';
import { imageKey, type OpenedImages } from './open-images.js';
import type { PlannedPlatform } from './plan-build.js';

/** Something from elsewhere that a build has used, by an address that may be shown and the digest of what was there. */
export interface Material {
  readonly uri: string;
  readonly digest: Digest;
}

/** Files of the web with a note of what each address gave. */
export function fetchLog(remote: RemoteFiles): {
  readonly remote: RemoteFiles;
  readonly digests: ReadonlyMap<string, Digest>;
} {
  const digests = new Map<string, Digest>();
  const noting: RemoteFiles = {
    fetch: async (url, call) => {
      const file = await remote.fetch(url, call);
      digests.set(url, file.blob.digest);
      return file;
    },
  };
  return { remote: noting, digests };
}

export interface MaterialSources {
  readonly opened: OpenedImages;
  readonly contexts: NamedContexts;
  /** What the addresses of ADD gave. */
  readonly digests: ReadonlyMap<string, Digest>;
}

/** The images and files of the web that a platform was built from, each once, by address. */
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
  const files = steps
    .flatMap(step => (step.kind === 'copy' && step.instruction === 'ADD' ? step.sources : []))
    .flatMap(url => (sourceKind(url) === 'http' ? { uri: redactUrl(url), digest: sources.digests.get(url)! } : []));
  const unique = new Map([...bases, ...copied, ...files].map(each => [`${each.uri} ${each.digest}`, each]));
  return [...unique].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, material]) => material);
}

/** A name in the Dockerfile that means an image; one of a context with files means none. */
function imageMaterial(name: string, platform: Platform, { opened, contexts }: MaterialSources): Material[] {
  const image = opened.get(imageKey(name, platform));
  if (image === undefined) return [];
  return [{ uri: imageUrl(name, platform, contexts), digest: image.descriptor.digest }];
}

function imageUrl(name: string, platform: Platform, contexts: NamedContexts): string {
  const found = findNamedContext(contexts, name, platform);
  const reference = found?.context.kind === 'image' ? found.context.reference : name;
  if (reference !== undefined) return packageUrl('docker', parseReference(reference), platform);
  // What lies in a layout is called what the build calls it, whether or not that is the name of an image.
  return packageUrl('oci', { registry: 'docker.io', repository: found!.name }, platform);
}
