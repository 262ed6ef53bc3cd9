import type { DirectoryNode, Metadata, TreeNode } from './node.js';

/** A folder that is listed when it is first looked into, and not again. */
export class LazyDirectory implements DirectoryNode {
  readonly type = 'directory';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly mtimeNanoseconds: number | undefined;
  readonly xattrs: Metadata['xattrs'];
  readonly #list: () => ReadonlyMap<string, TreeNode>;
  #children: ReadonlyMap<string, TreeNode> | undefined;

  constructor(
    { mode, uid, gid, mtime, mtimeNanoseconds, xattrs }: Metadata,
    list: () => ReadonlyMap<string, TreeNode>,
  ) {
    this.mode = mode;
    this.uid = uid;
    this.gid = gid;
    this.mtime = mtime;
    this.mtimeNanoseconds = mtimeNanoseconds;
    this.xattrs = xattrs;
    this.#list = list;
  }

  get children(): ReadonlyMap<string, TreeNode> {
    this.#children ??= this.#list();
    return this.#children;
  }
}
