import type { Compression } from '../src/index.js';
import { UsageError } from './usage-error.js';

export interface BuildCompression {
  readonly compression: Compression | undefined;
  readonly level: number | undefined;
  readonly forceCompression: boolean | undefined;
}

/** What outputs call no compression at all is understood here, too. */
const compressions: ReadonlyMap<string, Compression> = new Map([
  ['gzip', 'gzip'],
  ['zstd', 'zstd'],
  ['none', 'none'],
  ['uncompressed', 'none'],
]);

/**
 * Reads `--compression NAME[:LEVEL]` and what belongs to it. Whether there is such a level is for the build to say.
 * @throws UsageError
 */
export function buildCompression(args: {
  readonly compression?: string | undefined;
  readonly compressionLevel?: number | undefined;
  readonly forceCompression?: boolean | undefined;
}): BuildCompression {
  const { compression: text, compressionLevel, forceCompression } = args;
  if (text === undefined) return { compression: undefined, level: compressionLevel, forceCompression };
  const match = /^([a-z]+)(?::(\d{1,3}))?$/.exec(text);
  const compression = compressions.get(match?.[1] ?? '');
  if (compression === undefined) {
    throw new UsageError(`--compression cannot be ${text}`, 'Write gzip, zstd or none, with a level as in zstd:19.');
  }
  const level = match![2] === undefined ? undefined : Number(match![2]);
  if (level !== undefined && compressionLevel !== undefined) {
    throw new UsageError('--compression and --compression-level both say a level', 'Leave one of them out.');
  }
  return { compression, level: level ?? compressionLevel, forceCompression };
}
