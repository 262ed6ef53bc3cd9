import type { PatternMatcher } from '../../dockerfile/ignore.js';
import { LadingError } from '../../errors/errors.js';
import { checkPathLength, emptyDirectory, inheritedGroup, type TreeEditor, withMetadata } from '../../tree/editor.js';
import { LazyDirectory } from '../../tree/lazy-directory.js';
import { ListedChildren } from '../../tree/listed-children.js';
import { realPath } from '../../tree/lookup.js';
import { MappedChildren } from '../../tree/mapped-children.js';
import type { DirectoryNode, FileNode, Metadata, TreeNode } from '../../tree/node.js';
import type { Owner } from '../../tree/owner.js';
import { baseOf, joinPath, sortNames } from '../../tree/path.js';
import type { Chmod } from './chmod.js';
import type { Clamp } from './clamp.js';

export interface CopierOptions {
  /** Overrides the owner of everything copied and created. */
  readonly owner?: Owner | undefined;
  readonly chmod?: Chmod | undefined;
  /** Matched against paths inside a copied folder. */
  readonly exclude?: PatternMatcher | undefined;
  /** Time of folders that the copy creates. */
  readonly epoch: number;
  readonly clamp: Clamp;
  /** What owner, chmod and clamp are made of: with the same, the same files come out the same. Absent where nobody compares. */
  readonly making?: string | undefined;
}

/** Which part of a folder is copied; without it, all. */
export interface Inclusion {
  includes(path: string): boolean;
  /** Whether something below a folder that is not included itself can be. */
  reaches(directory: string): boolean;
}

/** What files that may have several names have become. */
type Copies = Map<FileNode, FileNode>;

/**
 * Copies nodes of one tree into another by the rules of BuildKit's copier. One copier serves one instruction.
 */
export class Copier {
  readonly #target: TreeEditor;
  readonly #options: CopierOptions;
  /** Of the present source: its hard links stay hard links, across sources they do not. */
  #copies: Copies = new Map();

  constructor(target: TreeEditor, options: CopierOptions) {
    this.#target = target;
    this.#options = options;
  }

  /**
   * Copies one source. A folder's content goes into `destination`, which becomes a folder; anything else goes to
   * `destination` itself, or into it when it is a folder or is written as one.
   */
  copy(node: TreeNode, name: string, destination: string, inclusion?: Inclusion): void {
    this.#copies = new Map();
    if (destination.endsWith('/') || destination.endsWith('/.')) this.makeDirectories(destination);
    const path = realPath(this.#target.root, destination);
    if (node.type === 'directory') this.#copyContents(node, path, inclusion);
    else this.#copyInto(node, name, path);
  }

  /** Creates a folder and its parents where they are missing; returns where it really is. */
  makeDirectories(destination: string): string {
    const path = realPath(this.#target.root, destination);
    let walked = '';
    let parent = this.#target.root;
    for (const component of path === '' ? [] : path.split('/')) {
      walked = joinPath(walked, component);
      const existing = this.#target.get(walked);
      if (existing !== undefined && existing.type !== 'directory') {
        throw notDirectory(walked, `mkdir /${walked}: not a directory`);
      }
      const directory = existing ?? emptyDirectory(this.#created(parent));
      if (existing === undefined) this.#target.set(walked, directory);
      parent = directory;
    }
    return path;
  }

  #created(parent: Metadata): Metadata {
    const { owner, chmod, epoch } = this.#options;
    const inherited = inheritedGroup(parent);
    // Set-id and sticky bits of `--chmod` are for what is copied.
    const mode = ((chmod?.octal ?? 0o755) & 0o777) | inherited.mode;
    return { mode, uid: owner?.uid ?? 0, gid: owner?.gid ?? inherited.gid, mtime: epoch };
  }

  #copyInto(node: Exclude<TreeNode, DirectoryNode>, name: string, path: string): void {
    if (this.#target.get(path)?.type === 'directory') {
      this.#put(node, joinPath(path, baseOf(name)));
      return;
    }
    this.makeDirectories(path.slice(0, Math.max(0, path.lastIndexOf('/'))));
    this.#put(node, path);
  }

  #copyContents(source: DirectoryNode, path: string, inclusion: Inclusion | undefined): void {
    const existing = this.#target.get(path);
    if (existing !== undefined && existing.type !== 'directory') throw notDirectory(path);
    this.makeDirectories(path);
    this.#copyChildren(source, '', path, inclusion, () => {});
    const directory = this.#target.get(path) as DirectoryNode;
    // The folder keeps its own mode and owner, and takes the time of the one whose content it got.
    if (path === '') return;
    const { mtime, mtimeNanoseconds } = this.#options.clamp(source);
    this.#target.set(path, withMetadata(directory, { ...directory, mtime, mtimeNanoseconds }));
  }

  /** `makeParent` creates the folder that the children go to: it is not there yet when only some of them may be copied. */
  #copyChildren(
    source: DirectoryNode,
    relative: string,
    path: string,
    inclusion: Inclusion | undefined,
    makeParent: () => void,
  ): void {
    const children = source.children;
    for (const name of sortNames([...children.keys()])) {
      const child = children.get(name)!;
      const childRelative = joinPath(relative, name);
      const childPath = joinPath(path, name);
      const included = inclusion === undefined || inclusion.includes(childRelative);
      const excluded = this.#options.exclude?.ignores(childRelative) ?? false;
      if (child.type === 'directory' && inclusion === undefined && this.#options.exclude === undefined) {
        if (this.#target.get(childPath) === undefined) {
          makeParent();
          this.#target.set(childPath, this.#whole(child, childPath, this.#copies));
          continue;
        }
      }
      if (child.type !== 'directory') {
        if (!included || excluded) continue;
        makeParent();
        this.#put(child, childPath);
        continue;
      }
      if (excluded && this.#options.exclude!.canPrune(childRelative)) continue;
      if (!included && !inclusion.reaches(childRelative)) continue;
      const wanted = included && !excluded;
      let made = false;
      const make = (): void => {
        if (made) return;
        made = true;
        makeParent();
        this.#putDirectory(child, childPath, wanted);
      };
      if (wanted) make();
      this.#copyChildren(child, childRelative, childPath, included ? undefined : inclusion, make);
    }
  }

  /** A folder with all below it, for where nothing is yet: most of what is copied. It is looked into when it is walked. */
  #whole(source: DirectoryNode, path: string, copies: Copies): DirectoryNode {
    checkPathLength(path);
    const copy = (child: TreeNode, name: string): TreeNode => {
      const childPath = joinPath(path, name);
      return child.type === 'directory'
        ? this.#whole(child, childPath, copies)
        : this.#copyOf(child, childPath, copies);
    };
    const { making } = this.#options;
    return new LazyDirectory(this.#metadata(source), () =>
      making !== undefined && source.children instanceof ListedChildren
        ? source.children.mapped(making, copy)
        : new MappedChildren(source.children, copy),
    );
  }

  /** A folder that is there already and is only on the way to what is `wanted` takes nothing but the mode. */
  #putDirectory(source: DirectoryNode, path: string, wanted: boolean): void {
    const existing = this.#target.get(path);
    if (existing !== undefined && existing.type !== 'directory') throw notDirectory(path);
    const onTheWay = existing !== undefined && !wanted;
    const metadata = onTheWay ? { ...existing, mode: source.mode } : this.#metadata(source);
    this.#target.set(path, withMetadata(existing ?? emptyDirectory(), metadata));
  }

  #put(source: Exclude<TreeNode, DirectoryNode>, path: string): void {
    if (this.#target.get(path)?.type === 'directory') {
      throw new LadingError('PATH_INVALID', `cannot replace to directory /${path} with file`, {
        details: { path, problem: 'is a folder, and a file is copied to it' },
      });
    }
    this.#target.set(path, this.#copyOf(source, path, this.#copies));
  }

  #copyOf(source: Exclude<TreeNode, DirectoryNode>, path: string, copies: Copies): TreeNode {
    checkPathLength(path);
    if (source.type !== 'file') return { ...source, ...this.#metadata(source) };
    const known = source.single === true ? undefined : copies.get(source);
    if (known !== undefined) return known;
    const { mode, uid, gid, mtime, mtimeNanoseconds, xattrs } = this.#metadata(source);
    const { type, size, content, digest, single } = source;
    // Spelled out: spreading costs several times as much, and most of what is copied are files.
    const copy = { type, mode, uid, gid, mtime, mtimeNanoseconds, xattrs, size, content, digest, single };
    if (single !== true) copies.set(source, copy);
    return copy;
  }

  #metadata(source: TreeNode): Metadata {
    const { owner, chmod, clamp } = this.#options;
    const mode =
      chmod === undefined || source.type === 'symlink'
        ? source.mode
        : chmod.apply(source.mode, source.type === 'directory');
    const { uid, gid } = owner ?? source;
    const { mtime, mtimeNanoseconds } = clamp(source);
    return { mode, uid, gid, mtime, mtimeNanoseconds, xattrs: source.xattrs };
  }
}

function notDirectory(path: string, message = `cannot copy to non-directory: /${path}`): LadingError {
  return new LadingError('PATH_INVALID', message, {
    details: { path, problem: 'is not a folder' },
    hint: 'A file of that name is there already: copy to another path.',
  });
}
