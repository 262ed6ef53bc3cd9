import { createWriteStream } from 'node:fs';
import { mkdtemp, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ioError } from '../../errors/io-error.js';
import type { Bytes, CallOptions } from '../../stream/bytes.js';
import { hostIdentity } from '../../tree/host-identity.js';
import type { FileContent } from '../../tree/node.js';

export type HostContent = Extract<FileContent, { kind: 'host' }>;

export interface KeepOptions extends CallOptions {
  /** A folder of the build's own. */
  readonly temporary: string;
}

/** Writes bytes to a file of the temporary folder, to be read again from there. */
export async function keepContent(content: Bytes, { temporary, signal }: KeepOptions): Promise<HostContent> {
  const path = join(await mkdtemp(join(temporary, 'archive-')), 'content');
  try {
    await pipeline(Readable.from(content, { objectMode: false }), createWriteStream(path, { mode: 0o600 }), { signal });
    return { kind: 'host', path, identity: hostIdentity(await stat(path, { bigint: true })) };
  } catch (error) {
    throw ioError(error, path);
  }
}
