import type { IgnoreMatcher } from '../dockerfile/ignore.js';
import type { Image } from '../image/image.js';
import type { LayerStore } from '../layer/layer-store.js';
import { treeOfLayers } from '../layer/tree-of-layers.js';
import type { CallOptions } from '../stream/bytes.js';
import { emptyDirectory } from '../tree/editor.js';
import type { DirectoryNode } from '../tree/node.js';
import type { CopySource } from './copy-step.js';
import { type Fingerprint, FolderLister } from './folder-lister.js';
import { listedTree } from './host-tree.js';
import type { FetchedFiles, FilesContext } from './inputs.js';
import { once } from './once.js';
import type { ScanCrew } from './scan-crew.js';
import { scanFolder } from './scan-folder.js';
import { layersOfImage } from './stage-files.js';

/** The files that a build is given: a folder of this machine, or a tree; without either there are none. */
export interface BuildContext extends Partial<FetchedFiles> {
  readonly directory?: string | undefined;
  readonly ignore?: IgnoreMatcher | undefined;
}

/** Trees that come from outside the Dockerfile. */
export interface CopySources {
  context(): Promise<CopySource>;
  named(context: FilesContext, options: CallOptions): Promise<CopySource>;
  image(image: Image, options: CallOptions): Promise<DirectoryNode>;
}

export interface CopySourcesOptions {
  readonly crew: ScanCrew;
  /** Whether times of files have what is below a second. */
  readonly exact: boolean;
}

/** Each context and image is opened once a build, and folders are listed once, for all stages and platforms. */
export function copySources(
  context: BuildContext,
  store: LayerStore,
  { crew, exact }: CopySourcesOptions,
): CopySources {
  const contexts = once<CopySource>();
  const trees = once<DirectoryNode>();
  return {
    context: () => contexts('context', async () => contextSource(context, 'the build context', crew)),
    named: ({ name, context }, options) =>
      contexts(`named ${name}`, async () => contextSource(await filesOf(context, options), `context ${name}`, crew)),
    image: (image, options) =>
      trees(image.descriptor.digest, () => treeOfLayers(layersOfImage(image), store, { ...options, exact })),
  };
}

async function filesOf(context: FilesContext['context'], options: CallOptions): Promise<BuildContext> {
  if (context.kind === 'fetched') return await context.open(options);
  return { directory: context.path, ignore: context.ignore };
}

function contextSource(context: BuildContext, label: string, crew: ScanCrew): CopySource {
  const { directory, ignore, tree } = context;
  if (tree !== undefined) return { root: tree, label };
  if (directory === undefined) return { root: emptyDirectory(), label: `${label} (which is empty)` };
  const lister = new FolderLister(directory, ignore);
  const scans = once<Fingerprint>();
  return {
    root: listedTree(lister),
    label,
    ignore,
    fingerprint: (path, options) => scans(path, () => scanFolder(lister, path, { ...options, crew })),
  };
}
