import { emptyRoot } from '../layer/tree-of-layers.js';
import type { CallOptions } from '../stream/bytes.js';
import type { LayerRef } from '../tree/node.js';
import type { CopySources } from './copy-sources.js';
import type { CopySource } from './copy-step.js';
import type { LazyTree } from './lazy-tree.js';
import { layersOfImage } from './stage-files.js';
import type { Work, WorkSource } from './work-graph.js';

export interface OpenSourceOptions extends CallOptions {
  readonly sources: CopySources;
  /** The result of what is done. */
  readonly result: (work: Work) => { readonly tree: LazyTree; readonly layers: readonly LayerRef[] };
}

/** The files that a step takes from. */
export async function openSource(source: WorkSource, options: OpenSourceOptions): Promise<CopySource> {
  switch (source.kind) {
    case 'scratch':
      return { root: emptyRoot, label: 'scratch' };
    case 'context':
      return await options.sources.context();
    case 'named':
      return await options.sources.named(source, options);
    case 'image':
      return { root: await options.sources.image(source.image, options), label: `image ${source.name}` };
    case 'work':
      return { root: await options.result(source.work).tree(), label: `stage ${source.stage}` };
  }
}

/** The layers that the files are in, where they are in layers. */
export function layersOfSource(
  source: WorkSource,
  options: Pick<OpenSourceOptions, 'result'>,
): readonly LayerRef[] | undefined {
  switch (source.kind) {
    case 'scratch':
      return [];
    case 'image':
      return layersOfImage(source.image);
    case 'work':
      return options.result(source.work).layers;
    default:
      return undefined;
  }
}
