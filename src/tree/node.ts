import type { Descriptor } from '../oci/descriptor.js';
import type { Digest } from '../oci/digest.js';
import type { HostIdentity } from './host-identity.js';

/** When a file was last changed. */
export interface FileTime {
  /** Seconds since 1970, whole. */
  readonly mtime: number;
  /** What comes on top of them, below 10^9. Absent where it is 0, not known or not wanted. */
  readonly mtimeNanoseconds?: number | undefined;
}

/** What every file of a tree carries. */
export interface Metadata extends FileTime {
  /** Permission bits with setuid, setgid and sticky: 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Name to value; the values hold any bytes, one a character (latin1). */
  readonly xattrs?: Readonly<Record<string, string>> | undefined;
}

/** A stored layer: what its bytes hash to uncompressed, and the blob that holds them. */
export interface LayerRef {
  readonly diffId: Digest;
  readonly blob: Descriptor;
}

/** Where the bytes of a regular file are. */
export type FileContent =
  /** In a stored layer, `offset` bytes into its uncompressed tar. */
  | { readonly kind: 'layer'; readonly layer: LayerRef; readonly offset: number }
  /**
   * On this machine: the node's `size` bytes from `offset` (0 when absent: the whole file; more inside an archive). The
   * path is spelled as in `path.ts`: open it through `toHostPath`. The identity is what `stat` said of the file when it was listed, and must still hold when it is read.
   */
  | {
      readonly kind: 'host';
      readonly path: string;
      readonly offset?: number | undefined;
      readonly identity: HostIdentity;
    }
  /** In a blob of the store, `offset` bytes into it. */
  | { readonly kind: 'blob'; readonly blob: Descriptor; readonly offset: number }
  /** In memory: heredocs and the like. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array };

export interface FileNode extends Metadata {
  readonly type: 'file';
  readonly size: number;
  readonly content: FileContent;
  /** SHA-256 of the content, where it is known. */
  readonly digest?: Digest | undefined;
  /** The file is known to have no other name in its tree, so nobody need remember its node to find its hard links. */
  readonly single?: boolean | undefined;
}
export interface DirectoryNode extends Metadata {
  readonly type: 'directory';
  /** In no particular order: sort with `compareNames` where order matters. */
  readonly children: ReadonlyMap<string, TreeNode>;
}
export interface SymlinkNode extends Metadata {
  readonly type: 'symlink';
  /** As it is written in the link, never resolved. */
  readonly target: string;
}
export interface DeviceNode extends Metadata {
  readonly type: 'character' | 'block';
  readonly major: number;
  readonly minor: number;
}
export interface FifoNode extends Metadata {
  readonly type: 'fifo';
}

/**
 * A file in a virtual tree. Nodes never change: a changed file is another node. Two paths with the very same node
 * (`===`) are hard links of one file.
 */
export type TreeNode = FileNode | DirectoryNode | SymlinkNode | DeviceNode | FifoNode;
