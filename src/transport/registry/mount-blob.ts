import { isLadingError } from '../../errors/errors.js';
import type { Digest } from '../../oci/digest.js';
import type { RepositoryPlace } from './find-blob.js';
import { locationOf } from './response-location.js';
import { repositoryScope } from './scopes.js';

/**
 * Asks for a blob to be taken over from another repository of the registry.
 * @returns whether it is there now; an address when the registry has begun an upload of it instead
 */
export async function mountBlob(
  { connection, repository, scopes }: RepositoryPlace,
  digest: Digest,
  from: string,
  signal: AbortSignal | undefined,
): Promise<boolean | URL> {
  try {
    const response = await connection.send({
      method: 'POST',
      url: `/v2/${repository}/blobs/uploads/?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from)}`,
      headers: { 'content-length': '0' },
      scopes: [...scopes, repositoryScope(from, 'pull')],
      signal,
    });
    response.discard();
    if (response.status === 202) return locationOf(response, await connection.base(signal));
    return response.status === 201;
  } catch (error) {
    // Mounting saves bytes and nothing else: whatever stands against it, the upload will tell.
    if (signal?.aborted || !isLadingError(error)) throw error;
    return false;
  }
}
