import type { CopyEvent } from '../../src/index.js';
import { printableLine } from './printable.js';
import type { ProgressView } from './progress-view.js';
import { formatSize } from './size.js';

/** Shows the blobs of a copy, each under `prefix`. */
export function transferProgress(view: ProgressView, prefix = ''): (event: CopyEvent) => void {
  return event => {
    const { digest, size } = event.descriptor;
    const label = `${prefix}${shortDigest(digest)}`;
    switch (event.type) {
      case 'blob-started':
        view.status(label, `${label} 0B / ${formatSize(size)}`);
        return;
      case 'blob-progress':
        view.status(label, `${label} ${formatSize(event.bytes)} / ${formatSize(size)}`);
        return;
      case 'blob-done':
        view.status(label, undefined);
        view.line(`${label} ${formatSize(size)} done`);
        return;
      case 'blob-skipped':
        view.line(`${label} ${event.reason === 'exists' ? 'exists' : 'left out: its licence keeps it where it is'}`);
        return;
      case 'blob-mounted':
        view.line(`${label} mounted from ${printableLine(event.from)}`);
        return;
      case 'manifest-done':
        view.line(`${label} ${event.existed ? 'exists' : `${formatSize(size)} done`}`);
        return;
    }
  };
}

/** `sha256:0123456789ab`, enough to tell blobs apart. */
export function shortDigest(digest: string): string {
  const colon = digest.indexOf(':');
  return printableLine(digest.slice(0, colon + 13));
}
