import { LadingError } from '../errors/errors.js';
import { emptyRoot } from '../layer/tree-of-layers.js';
import type { CallOptions } from '../stream/bytes.js';
import type { DirectoryNode } from '../tree/node.js';
import { type Owner, ownerNeedsAccounts, resolveOwner } from '../tree/owner.js';
import type { FileAccess } from './file-access.js';
import { accountFiles } from './stage-files.js';

export interface FileOwnerOptions extends CallOptions {
  readonly files: FileAccess;
}

/**
 * What `user[:group]` means for files made in a tree.
 * @throws LadingError INVALID_VALUE for names where there are no files yet, not even without accounts in them
 */
export async function fileOwner(text: string, tree: DirectoryNode, options: FileOwnerOptions): Promise<Owner> {
  if (!ownerNeedsAccounts(text)) return resolveOwner(text, {});
  if (tree !== emptyRoot) return resolveOwner(text, await accountFiles(tree, options.files, options));
  throw new LadingError('INVALID_VALUE', `owner ${text}: invalid user index: -1`, {
    details: { what: 'owner', value: text },
    hint: 'There are no files yet that could say who that is, and a linked layer never has any: give numbers.',
  });
}
