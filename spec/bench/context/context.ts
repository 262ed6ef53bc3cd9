import { setImmediate } from 'node:timers/promises';
import { type ContentPool, contentPool } from './content-pool.js';

/** A folder to build, and how much is in it; the Dockerfile is not counted. */
export interface Context {
  readonly folder: string;
  readonly files: number;
  readonly bytes: number;
}

export interface Making {
  readonly pool: ContentPool;
  /** To be awaited now and then by makers of many files: lets an interrupt through. */
  readonly breathe: () => Promise<void>;
}

export function making(signal: AbortSignal, pool = contentPool()): Making {
  return {
    pool,
    breathe: async () => {
      await setImmediate();
      signal.throwIfAborted();
    },
  };
}
