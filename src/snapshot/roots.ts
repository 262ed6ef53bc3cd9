import type { RootFileSystem, RunResult } from '../sandbox/sandbox.js';
import type { CallOptions } from '../stream/bytes.js';
import type { DirectoryNode, LayerRef } from '../tree/node.js';

/** Files to run a process among: the layers that they come from, oldest first, and the tree that these make. */
export interface RootState {
  readonly layers: readonly LayerRef[];
  readonly tree: DirectoryNode;
}

/** A root on the disk that one process at a time may change. */
export interface WorkingRoot {
  readonly root: RootFileSystem;
  /**
   * The tree as it is after a process has run in the root: nodes that it has left alone are those of the state that the
   * root was opened with, changed ones have their bytes on this machine, in this root. Asked once, before `keep`.
   */
  changes(ran: Pick<RunResult, 'owners'>, options?: CallOptions): Promise<DirectoryNode>;
  /** What was changed is now the newest layer of this state: the next root that is opened on it starts from here. */
  keep(state: RootState): Promise<void>;
  /** Gives the root up; without `keep` nothing of it stays. Can be called more than once. */
  close(): Promise<void>;
}

/** Roots of layers, made once and shared by later builds. */
export interface Roots {
  open(state: RootState, options?: CallOptions): Promise<WorkingRoot>;
}
