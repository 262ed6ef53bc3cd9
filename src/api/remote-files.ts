import type { RemoteFiles, Secrets } from '../build/inputs.js';
import { webAuthorization } from '../build/web-authorization.js';
import { webFileCache } from '../cache/web-file-cache.js';
import type { WebFile } from '../content/web-file.js';
import { LadingError } from '../errors/errors.js';
import { redactUrl } from '../errors/redact.js';
import type { Store } from '../store/store.js';
import type { DownloadOptions, FileDownloads, FileDownloadsOptions } from '../transport/http/file-downloads.js';
import { webAddress } from '../transport/http/web-address.js';

export interface RemoteFilesOptions extends Omit<FileDownloadsOptions, 'authorization' | 'keep'> {
  readonly store: Store;
  readonly secrets: Secrets;
  /** Ask no server: files are those that the store has kept. */
  readonly offline: boolean;
}

/**
 * Files of the web for a build, each asked for once. The store keeps them: a later build asks the server whether its file
 * is still the one that is kept, and asks nobody for a file whose digest it knows. Close it when the build is done.
 */
export function remoteFiles(options: RemoteFilesOptions): RemoteFiles & { close(): Promise<void> } {
  const { store, secrets, offline } = options;
  const kept = webFileCache(store);
  let opened: Promise<FileDownloads> | undefined;
  const open = async (): Promise<FileDownloads> => {
    const { FileDownloads } = await import('../transport/http/file-downloads.js');
    return new FileDownloads({
      ...options,
      keep: (content, call) => store.putStream('application/octet-stream', content, call),
      authorization: (url, call) => webAuthorization(url, secrets, call),
    });
  };
  const asked = new Map<string, Promise<WebFile>>();

  async function download(url: URL, call: DownloadOptions): Promise<WebFile> {
    const { known, signal } = call;
    opened ??= open();
    const file = await (await opened).fetch(url, call);
    const same = known?.blob.digest === file.blob.digest && known.etag === file.etag;
    if (!same || known.lastModified !== file.lastModified) await kept.put(url, file, { signal });
    return file;
  }

  return {
    async fetch(address, { digest, fresh = false, ...call } = {}) {
      const url = webAddress(address);
      const known = await kept.get(url, { signal: call.signal });
      if (known !== undefined && (offline || (!fresh && known.blob.digest === digest))) return known;
      if (offline) throw notKept(address);
      const key = `${fresh} ${address}`;
      const file = asked.get(key) ?? download(url, { ...call, known: fresh ? undefined : known });
      asked.set(key, file);
      // What failed may be asked for again.
      file.catch(() => asked.delete(key));
      return await file;
    },
    async close() {
      await (await opened)?.close();
    },
  };
}

function notKept(address: string): LadingError<'REMOTE_FILE'> {
  const url = redactUrl(address);
  return new LadingError('REMOTE_FILE', `${url}: the store has not kept it, and this build asks no server`, {
    details: { url },
    hint: 'Build once without --offline, or fetch the file before the build and COPY it.',
  });
}
