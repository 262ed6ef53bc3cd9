import { LadingError } from '../../errors/errors.js';
import { redactUrl } from '../../errors/redact.js';

/** What a server of the web, which is no registry, did not do. */
export function remoteError(
  url: URL,
  problem: string,
  { status, ...rest }: { hint?: string; cause?: unknown; status?: number } = {},
): LadingError<'REMOTE_FILE'> {
  const shown = redactUrl(url);
  return new LadingError('REMOTE_FILE', `${shown}: ${problem}`, { details: { url: shown, status }, ...rest });
}
