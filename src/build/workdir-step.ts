import type { WorkdirStep } from '../plan/step.js';
import { TreeEditor } from '../tree/editor.js';
import type { DirectoryNode } from '../tree/node.js';
import { clampTo } from './copy/clamp.js';
import { Copier } from './copy/copier.js';
import type { FileAccess } from './file-access.js';
import { fileOwner } from './file-owner.js';

/** The tree with a WORKDIR and its missing parents made, owned by the user in force. */
export async function workdirStep(
  tree: DirectoryNode,
  step: WorkdirStep,
  options: { readonly files: FileAccess; readonly epoch: number; readonly signal?: AbortSignal | undefined },
): Promise<DirectoryNode> {
  const { files, epoch, signal } = options;
  const owner = step.owner === undefined ? undefined : await fileOwner(step.owner, tree, { files, signal });
  const editor = new TreeEditor(tree);
  const copier = new Copier(editor, { owner, epoch, clamp: clampTo(epoch, 'keep') });
  copier.makeDirectories(step.path);
  return editor.root;
}
