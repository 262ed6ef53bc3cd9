import type { RemoteFiles } from '../build/inputs.js';
import { LadingError } from '../errors/errors.js';
import { redactUrl } from '../errors/redact.js';
import { FileDownloads, type FileDownloadsOptions } from '../transport/http/file-downloads.js';

export interface RemoteFilesOptions extends FileDownloadsOptions {
  readonly offline: boolean;
}

/** Files of the web for a build; offline there are none. Close it when the build is done. */
export function remoteFiles(options: RemoteFilesOptions): RemoteFiles & { close(): Promise<void> } {
  if (!options.offline) return new FileDownloads(options);
  return {
    async fetch(address) {
      const url = redactUrl(address);
      throw new LadingError('REMOTE_FILE', `${url}: this build asks no server`, {
        details: { url },
        hint: 'Build without --offline, or fetch the file before the build and COPY it.',
      });
    },
    close: async () => {},
  };
}
