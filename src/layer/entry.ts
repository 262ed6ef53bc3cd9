import type { DeviceNode, DirectoryNode, FifoNode, FileNode, Metadata, SymlinkNode } from '../tree/node.js';

/** One thing to write into a layer's tar. Directories are written without their children: each child is an entry. */
export type LayerEntry =
  | {
      readonly path: string;
      readonly node: FileNode | Omit<DirectoryNode, 'children'> | SymlinkNode | DeviceNode | FifoNode;
    }
  /**
   * A further name of a file written earlier in the same layer, or of one in a layer below. Other tools set the file's
   * metadata again from the link's header: for a file of a layer below `metadata` must say what it is.
   */
  | { readonly path: string; readonly hardlink: string; readonly metadata?: Metadata | undefined }
  | { readonly path: string; readonly whiteout: true };
