import { cleanPathText } from '../../dockerfile/go-text.js';
import { LadingError } from '../../errors/errors.js';
import type { TarItem } from '../../layer/tar-reader.js';
import { emptyDirectory, inheritedGroup, type TreeEditor, withMetadata } from '../../tree/editor.js';
import { lookup } from '../../tree/lookup.js';
import type { DirectoryNode, Metadata, TreeNode } from '../../tree/node.js';
import type { Owner } from '../../tree/owner.js';
import { baseOf, cleanPath, joinPath, parentOf } from '../../tree/path.js';
import type { Clamp } from './clamp.js';
import { type HostContent, type KeepOptions, keepContent } from './keep-content.js';

export interface ArchiveTarget {
  readonly editor: TreeEditor;
  /** Makes the folder that the archive goes into, and says where it is. */
  readonly directory: () => string;
  /** Replaces the owners that the archive names. */
  readonly owner?: Owner | undefined;
}

export interface PlacerOptions extends KeepOptions {
  readonly clamp: Clamp;
}

/**
 * Puts the entries of one archive into a tree as `tar` would with the folder they go into as its root: names and links
 * that climb stop there, and absolute ones start there, so nothing outside can be reached.
 */
export class ArchivePlacer {
  readonly #target: ArchiveTarget;
  readonly #archive: HostContent;
  readonly #options: PlacerOptions;
  /** Where the folder is in the tree. */
  readonly #root: string;
  /** All names below the folder of files that the archive has linked. */
  readonly #names = new Map<TreeNode, Set<string>>();

  constructor(target: ArchiveTarget, archive: HostContent, options: PlacerOptions) {
    this.#target = target;
    this.#archive = archive;
    this.#options = options;
    this.#root = target.directory();
  }

  /** @throws LadingError INVALID_ARCHIVE */
  async place(item: TarItem): Promise<void> {
    // The folder itself, named like this, is the one that is there.
    if (cleanPathText(item.path) === '.') return;
    const path = cleanPath(item.path);
    if (path === '') {
      if (item.type !== 'directory') throw invalid(item.path, 'takes the place of the folder it goes into');
      this.#set(path, withMetadata(this.#folder, this.#metadata(item)));
      return;
    }
    const real = joinPath(this.#parentOf(path, item.path), baseOf(path));
    const existing = this.#get(real);
    const merged = existing?.type === 'directory' && item.type === 'directory';
    if (!merged) this.#target.editor.remove(this.#place(real));
    if (item.type === 'hardlink') this.#link(item, real);
    else this.#set(real, await this.#node(item, item.type, merged ? existing : undefined));
  }

  get #folder(): DirectoryNode {
    return this.#target.editor.get(this.#root) as DirectoryNode;
  }

  #get(path: string): TreeNode | undefined {
    return this.#target.editor.get(this.#place(path));
  }

  #set(path: string, node: TreeNode): void {
    this.#target.editor.set(this.#place(path), node);
  }

  #place(path: string): string {
    return path === '' ? this.#root : joinPath(this.#root, path);
  }

  /** The folder that an entry goes to, links followed; what is missing is made. */
  #parentOf(path: string, entry: string): string {
    const parent = lookup(this.#folder, parentOf(path));
    if (parent?.node.type === 'directory') return parent.path;
    let real = '';
    for (const name of parentOf(path).split('/')) {
      const next = joinPath(real, name);
      const found = lookup(this.#folder, next);
      if (found === undefined) {
        if (this.#get(next) !== undefined) throw invalid(entry, `goes through ${next}, a link to nothing`);
        // Always root's, but for the bit that what is made in such a folder has.
        const { mode } = inheritedGroup(this.#get(real)!);
        this.#set(next, emptyDirectory({ mode: 0o755 | mode }));
      } else if (found.node.type !== 'directory') {
        throw invalid(entry, `goes through ${next}, which is no folder`);
      }
      real = found?.path ?? next;
    }
    return real;
  }

  #metadata(item: TarItem): Metadata {
    const { uid, gid } = this.#target.owner ?? item;
    // Times before 1970 are taken for none.
    const { mtime, mtimeNanoseconds } = this.#options.clamp(item.mtime < 0 ? { mtime: 0 } : item);
    return { mode: item.mode, uid, gid, mtime, mtimeNanoseconds, xattrs: item.xattrs };
  }

  /** One more name for a file; what the entry says of the file holds for all its names. */
  #link(item: TarItem, path: string): void {
    const linked = lookup(this.#folder, cleanPath(item.linkTarget), { follow: false });
    if (linked === undefined || linked.node.type === 'directory') {
      throw invalid(item.path, `is a hard link to ${item.linkTarget}, which is not there`);
    }
    const { mode, uid, gid, mtime, mtimeNanoseconds } = this.#metadata(item);
    const { node } = linked;
    const changed =
      node.type === 'symlink' ? { ...node, uid, gid } : { ...node, mode, uid, gid, mtime, mtimeNanoseconds };
    const names = this.#names.get(node) ?? new Set([linked.path]);
    for (const name of names) if (this.#get(name) !== node) names.delete(name);
    names.add(path);
    for (const name of names) this.#set(name, changed);
    this.#names.delete(node);
    this.#names.set(changed, names);
  }

  async #node(
    item: TarItem,
    type: Exclude<TarItem['type'], 'hardlink'>,
    existing: DirectoryNode | undefined,
  ): Promise<TreeNode> {
    const metadata = this.#metadata(item);
    switch (type) {
      case 'directory':
        return existing === undefined ? emptyDirectory(metadata) : withMetadata(existing, metadata);
      case 'file': {
        // The stored bytes of a sparse file are not its content: it gets a file of its own.
        const content = item.sparse
          ? await keepContent(item.content, this.#options)
          : { ...this.#archive, offset: (this.#archive.offset ?? 0) + item.dataOffset };
        return { type: 'file', ...metadata, size: item.size, content };
      }
      case 'symlink':
        return { type: 'symlink', ...metadata, mode: 0o777, target: item.linkTarget };
      case 'character':
      case 'block':
        return { type, ...metadata, major: item.devMajor, minor: item.devMinor };
      case 'fifo':
        return { type: 'fifo', ...metadata };
    }
  }
}

function invalid(entry: string, problem: string): LadingError {
  return new LadingError('INVALID_ARCHIVE', `archive entry ${JSON.stringify(entry)} ${problem}`, {
    details: { entry, problem },
    hint: 'Make the archive again without such entries, or unpack it yourself and COPY the files.',
  });
}
