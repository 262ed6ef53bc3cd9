import { parseDockerfile } from '../dockerfile/parser.js';
import { LadingError } from '../errors/errors.js';
import { assembleImage } from '../image/mutate.js';
import { diffTrees } from '../layer/diff.js';
import type { LayerEntry } from '../layer/entry.js';
import type { ContainerConfig } from '../oci/config.js';
import type { Descriptor } from '../oci/descriptor.js';
import { formatTime } from '../oci/time.js';
import { planStages } from '../plan/graph.js';
import { planStage, stateFromImage } from '../plan/lower.js';
import type { Store } from '../store/store.js';
import { type CallOptions, inOnePiece } from '../stream/bytes.js';
import type { Container } from './container.js';
import { containerTrees } from './container-tree.js';

export interface CommitContainerOptions extends CallOptions {
  readonly store: Store;
  /** The name of the image; it has none by default. */
  readonly name?: string | undefined;
  readonly author?: string | undefined;
  readonly message?: string | undefined;
  /** Instructions of a Dockerfile that change the configuration. */
  readonly changes?: readonly string[] | undefined;
  /** What no time in the image is later than, and what it says of when it was made; in seconds since 1970. */
  readonly epoch: number;
}

const changing = 'CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL ONBUILD SHELL STOPSIGNAL USER VOLUME WORKDIR'.split(' ');

/**
 * Makes an image of a container as its last process has left it: the layers of its image, and one with all that is
 * different. The same changes make the same image.
 * @throws LadingError USAGE, DOCKERFILE_SYNTAX for changes that are none
 */
export async function commitContainer(container: Container, options: CommitContainerOptions): Promise<Descriptor> {
  const { store, name, author, message, epoch, signal } = options;
  const { config, layers, imageLayers, process: settings } = container;
  const { before, after } = await containerTrees(store, container, { signal });
  const entries = { [Symbol.iterator]: () => clamped(diffTrees(before, after), epoch) };
  const { layer } = await store.packLayer(entries, { signal });
  const created = formatTime(epoch);
  const history = [
    ...(config.history ?? []),
    {
      created,
      created_by: settings.argv.join(' '),
      ...(author === undefined ? {} : { author }),
      ...(message === undefined ? {} : { comment: message }),
    },
  ];
  const assembled = assembleImage({
    config: {
      ...config,
      ...(author === undefined ? {} : { author }),
      created,
      config: changedConfig(container, options.changes ?? []),
      history,
    },
    layers: [...layers.slice(0, imageLayers), layer],
  });
  await store.put(assembled.config, inOnePiece(assembled.configBytes), { signal });
  await store.put(assembled.descriptor, inOnePiece(assembled.manifestBytes), { signal });
  if (name === undefined) await store.keep(assembled.descriptor, { signal });
  else await store.tag(assembled.descriptor, name, { signal });
  return assembled.descriptor;
}

function* clamped(entries: Iterable<LayerEntry>, epoch: number): Generator<LayerEntry> {
  for (const entry of entries) {
    if (!('node' in entry) || entry.node.mtime <= epoch) yield entry;
    else yield { ...entry, node: { ...entry.node, mtime: epoch, mtimeNanoseconds: undefined } };
  }
}

/** The image's configuration, with the variables that the container was given, and then the changes. */
function changedConfig({ config, process: settings }: Container, changes: readonly string[]): ContainerConfig {
  const { architecture, os } = config;
  const text = ['FROM scratch', ...changes].join('\n');
  const { ast } = parseDockerfile(`${text}\n`, { file: '--change' });
  for (const { keyword } of ast.instructions.slice(1)) {
    if (changing.includes(keyword.toUpperCase())) continue;
    throw new LadingError('USAGE', `${keyword} changes more than the configuration`, {
      details: { option: 'change' },
      hint: `Of Dockerfiles, these are possible: ${changing.join(', ')}.`,
    });
  }
  const platform = { architecture, os };
  const graph = planStages(ast, {
    buildArgs: new Map(),
    targetPlatform: platform,
    buildPlatform: platform,
    namedContexts: new Set(),
  });
  const state = stateFromImage({ ...config, config: { ...config.config, Env: settings.env, OnBuild: [] } }, platform);
  const planned = planStage(
    graph,
    0,
    { state, fromImage: false },
    { buildArgs: new Map(), targetPlatform: platform, buildPlatform: platform, namedContexts: new Set() },
  );
  return planned.state.config;
}
