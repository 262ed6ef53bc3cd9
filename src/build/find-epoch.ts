import { redactUrl } from '../errors/redact.js';
import type { EpochSource, FoundEpoch } from '../plan/source-date-epoch.js';
import type { CallOptions } from '../stream/bytes.js';
import { archiveTree, newestFile } from './archive-context.js';
import type { BuildContext } from './copy-sources.js';
import type { FileAccess } from './file-access.js';
import type { GitRepositories, NamedContexts, RemoteFiles } from './inputs.js';
import { remoteFile, repositoryFiles } from './remote-source.js';

export interface FindEpochOptions extends CallOptions {
  readonly context: BuildContext;
  readonly contexts: NamedContexts;
  readonly remote: RemoteFiles;
  readonly git: GitRepositories;
  readonly files: FileAccess;
  /** Gives a folder that lives as long as the build. */
  readonly temporary: () => Promise<string>;
}

/**
 * The time that SOURCE_DATE_EPOCH leads to: that of a commit, that of a file of the web as its server says it, or else of
 * the newest file in it. Folders of this machine and images have none.
 */
export async function findEpoch(source: EpochSource, options: FindEpochOptions): Promise<FoundEpoch> {
  switch (source.kind) {
    case 'context':
      return { seconds: options.context.time };
    case 'named': {
      const context = options.contexts.get(source.name);
      return { seconds: context?.kind === 'fetched' ? (await context.open(options)).time : undefined };
    }
    case 'git':
      return { seconds: (await repositoryFiles(source.reference, options)).time };
    case 'http': {
      const { file, lastModified } = await remoteFile(source.url, source, { ...options, fresh: false });
      if (lastModified !== undefined) return { seconds: lastModified };
      const tree = await archiveTree(file, redactUrl(source.url), { ...options, temporary: await options.temporary() });
      return { seconds: tree && newestFile(tree) };
    }
  }
}
