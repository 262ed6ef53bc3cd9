import type { RemoteFiles, Secrets } from '../build/inputs.js';
import { webAuthorization } from '../build/web-authorization.js';
import { LadingError } from '../errors/errors.js';
import { redactUrl } from '../errors/redact.js';
import { FileDownloads, type FileDownloadsOptions } from '../transport/http/file-downloads.js';

export interface RemoteFilesOptions extends Omit<FileDownloadsOptions, 'authorization'> {
  readonly offline: boolean;
  readonly secrets: Secrets;
}

/** Files of the web for a build; offline there are none. Close it when the build is done. */
export function remoteFiles(options: RemoteFilesOptions): RemoteFiles & { close(): Promise<void> } {
  if (!options.offline) {
    return new FileDownloads({
      ...options,
      authorization: (url, call) => webAuthorization(url, options.secrets, call),
    });
  }
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
