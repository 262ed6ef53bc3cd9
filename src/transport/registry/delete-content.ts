import { deletionError } from './failure.js';
import type { RepositoryPlace } from './find-blob.js';

/**
 * Deletes a tag, a manifest or a blob. `name` is shown to people.
 * @throws LadingError REFERENCE_NOT_FOUND; UNSUPPORTED when the registry does not delete
 */
export async function deleteContent(
  { connection, repository, scopes }: RepositoryPlace,
  kind: 'manifests' | 'blobs',
  id: string,
  name: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  // Registries that know a right of its own for this ask for it in their challenge.
  const response = await connection.send({ method: 'DELETE', url: `/v2/${repository}/${kind}/${id}`, scopes, signal });
  if (response.status !== 202 && response.status !== 200) throw await deletionError(response, name);
  response.discard();
}
