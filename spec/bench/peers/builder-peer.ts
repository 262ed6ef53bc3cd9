import type { TimedCommand } from '../timed-process.js';

/** A builder that works in a daemon, which has the base image already. */
export interface BuilderPeer {
  /** What the figures of its commands leave out. */
  readonly note: string;
  build(tag: string, folder: string): TimedCommand;
  /** The same, and a push after it. */
  buildAndPush(tag: string, folder: string): TimedCommand;
  /** Deletes what builds left behind; the base image stays. */
  forget(tag: string): Promise<void>;
  stop(): Promise<void>;
}
