import type { IgnoreMatcher } from '../dockerfile/ignore.js';
import type { LayerStore } from '../layer/layer-store.js';
import type { Platform } from '../oci/platform.js';
import type { StageGraph } from '../plan/graph.js';
import type { CopyStep } from '../plan/step.js';
import type { CallOptions } from '../stream/bytes.js';
import { emptyDirectory } from '../tree/editor.js';
import type { DirectoryNode } from '../tree/node.js';
import type { CopySource } from './copy-step.js';
import { hostTree } from './host-tree.js';
import { type BaseImages, findNamedContext, type NamedContexts } from './inputs.js';
import type { StageResult } from './run-stage.js';
import { layersOfImage, treeOfLayers } from './stage-files.js';

/** The files that a build is given: a folder of this machine, or a tree; without either there are none. */
export interface BuildContext {
  readonly tree?: DirectoryNode | undefined;
  readonly directory?: string | undefined;
  readonly ignore?: IgnoreMatcher | undefined;
}

export interface CopySourcesOptions extends CallOptions {
  readonly context: BuildContext;
  readonly contexts: NamedContexts;
  readonly images: BaseImages;
  readonly store: LayerStore;
  /** What images that are copied from are for: the platform of the build, whatever that of the stage. */
  readonly platform: Platform;
}

/** Where the sources of COPY instructions are: each context and image is opened once a build. */
export function copySources(
  graph: StageGraph,
  results: ReadonlyMap<number, StageResult>,
  options: CopySourcesOptions,
): (step: CopyStep) => Promise<CopySource> {
  const { context, contexts, images, store, platform, signal } = options;
  const opened = new Map<string, Promise<CopySource>>();
  const once = (key: string, open: () => Promise<CopySource>): Promise<CopySource> => {
    const known = opened.get(key) ?? open();
    opened.set(key, known);
    return known;
  };
  return async (step: CopyStep): Promise<CopySource> => {
    const { from } = step;
    if (from.kind === 'stage') {
      const name = graph.stages[from.stage]?.name ?? String(from.stage);
      return { root: results.get(from.stage)!.tree, label: `stage ${name}` };
    }
    if (from.kind === 'context') return once('context', async () => contextSource(context, 'the build context'));
    const named = findNamedContext(contexts, from.name);
    if (named?.kind === 'directory') {
      const { path, ignore } = named;
      return once(`directory ${from.name}`, async () =>
        contextSource({ directory: path, ignore }, `context ${from.name}`),
      );
    }
    return once(`image ${from.name}`, async () => {
      const image = await (named?.open(platform, { signal }) ?? images.open(from.name, platform, { signal }));
      return { root: await treeOfLayers(layersOfImage(image), store, { signal }), label: `image ${from.name}` };
    });
  };
}

function contextSource(context: BuildContext, label: string): CopySource {
  const { directory, ignore, tree } = context;
  if (tree !== undefined) return { root: tree, label };
  if (directory === undefined) return { root: emptyDirectory(), label: `${label} (which is empty)` };
  return { root: hostTree(directory, ignore), label, ignore };
}
