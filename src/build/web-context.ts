import type { CallOptions } from '../stream/bytes.js';
import { emptyDirectory } from '../tree/editor.js';
import { archiveTree, newestFile } from './archive-context.js';
import type { FileAccess } from './file-access.js';
import type { FetchedFiles, RemoteFiles } from './inputs.js';
import { remoteFile } from './remote-source.js';

export interface WebContextOptions extends CallOptions {
  readonly remote: RemoteFiles;
  readonly files: FileAccess;
  readonly temporary: string;
}

/** The files behind a web address: those of the archive that is there, or else that one file, called `context`. */
export async function webContext(url: string, options: WebContextOptions): Promise<FetchedFiles> {
  const { file, lastModified, origin } = await remoteFile(url, {}, { ...options, fresh: false });
  const tree = await archiveTree(file, origin.uri, options);
  if (tree !== undefined) return { tree, time: lastModified ?? newestFile(tree), origin };
  return { tree: { ...emptyDirectory(), children: new Map([['context', file]]) }, time: lastModified, origin };
}
