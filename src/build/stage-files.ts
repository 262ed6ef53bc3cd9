import { LadingError } from '../errors/errors.js';
import type { Image } from '../image/image.js';
import type { CallOptions } from '../stream/bytes.js';
import { lookup } from '../tree/lookup.js';
import type { DirectoryNode, LayerRef } from '../tree/node.js';
import type { AccountFiles } from '../tree/owner.js';
import type { FileAccess } from './file-access.js';

export function layersOfImage(image: Image): LayerRef[] {
  return image.layers.map(layer => ({ diffId: layer.diffId, blob: layer.descriptor }));
}

const accountFileLimit = 10 * 1024 * 1024;

/**
 * `/etc/passwd` and `/etc/group` of a tree, links followed inside it.
 * @throws LadingError PATH_INVALID for what is no regular file
 */
export async function accountFiles(
  root: DirectoryNode,
  files: FileAccess,
  options: CallOptions,
): Promise<AccountFiles> {
  const text = async (path: string): Promise<string | undefined> => {
    const node = lookup(root, path)?.node;
    if (node === undefined) return undefined;
    if (node.type !== 'file') {
      throw new LadingError('PATH_INVALID', `/${path} of the image is not a regular file: there are no names in it`, {
        details: { path, problem: `a ${node.type} where account names are looked up` },
        hint: 'Give numbers instead of names.',
      });
    }
    return (await files.read(node, accountFileLimit, `/${path}`, options)).toString('utf8');
  };
  return { passwd: await text('etc/passwd'), group: await text('etc/group') };
}
