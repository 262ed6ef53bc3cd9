import type { FileOwner, RootFileSystem, RunResult } from '../sandbox/sandbox.js';
import type { CallOptions } from '../stream/bytes.js';
import type { DirectoryNode, LayerRef } from '../tree/node.js';

/** Files to run a process among: the layers that they come from, oldest first, and the tree that these make. */
export interface RootState {
  readonly layers: readonly LayerRef[];
  /** How many of them are those of an image that others start from as well: a root of these is made once for all. */
  readonly baseLayers: number;
  readonly tree: DirectoryNode;
}

/** What has to be known of a process to read its changes. */
export interface RanProcess extends Pick<RunResult, 'owners'> {
  /** Whom it ran as: where owners are recorded, what it made belongs to them unless `owners` says otherwise. */
  readonly user: FileOwner;
}

export interface ChangesOptions extends CallOptions {
  /** The time, in seconds since 1970, that something changed at `mtime` is to have in the tree; by default that one. */
  readonly clamp?: ((mtime: number) => number) | undefined;
}

/** A root on the disk that one process at a time may change. */
export interface WorkingRoot {
  readonly root: RootFileSystem;
  /**
   * The tree as it is after a process has run in the root: nodes that it has left alone are those of the state that the
   * root was opened with, changed ones have their bytes on this machine, in this root, where they can be read until
   * `keep` or `close`; what its owner may not read is made readable for that. Asked once, before `keep`.
   */
  changes(ran: RanProcess, options?: ChangesOptions): Promise<DirectoryNode>;
  /**
   * What was changed is now the newest layer of this state: the next root that is opened on it starts from here. `tree` is
   * what the layer makes of the tree before. The root cannot be used any more.
   */
  keep(state: RootState): Promise<void>;
  /** Gives the root up; without `keep` nothing that a process did in it stays. Can be called more than once. */
  close(): Promise<void>;
}

export interface OpenRootOptions extends CallOptions {
  /**
   * Where the root is to lie, on the disk of the store: there it stays when this process is killed, to be opened again. By
   * default it goes with this process.
   */
  readonly folder?: string | undefined;
}

/** Roots of layers, made once and shared by later builds. */
export interface Roots {
  open(state: RootState, options?: OpenRootOptions): Promise<WorkingRoot>;
  /** What somebody who was killed has left of a root that was opened on this state. */
  reopen(state: RootState, folder: string): Promise<Pick<WorkingRoot, 'changes' | 'close'>>;
  /** Writes a tree into a folder, which is made, in the way that roots are written: for what a process is to be shown. */
  materialise(tree: DirectoryNode, folder: string, options?: CallOptions): Promise<void>;
}
