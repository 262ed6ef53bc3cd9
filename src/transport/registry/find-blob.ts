import type { Descriptor } from '../../oci/descriptor.js';
import type { Digest } from '../../oci/digest.js';
import type { RegistryConnection } from './connection.js';
import { protocolError, responseError } from './failure.js';
import { contentMissing } from './manifest-requests.js';

/** A repository, and the rights that requests to it need. */
export interface RepositoryPlace {
  readonly connection: RegistryConnection;
  readonly repository: string;
  readonly scopes: readonly string[];
}

/** Asks how large a blob is. `name` is shown to people. @throws LadingError BLOB_NOT_FOUND */
export async function findBlob(
  { connection, repository, scopes }: RepositoryPlace,
  digest: Digest,
  name: string,
  signal: AbortSignal | undefined,
): Promise<Descriptor> {
  const response = await connection.send({ method: 'HEAD', url: `/v2/${repository}/blobs/${digest}`, scopes, signal });
  const size = Number(response.header('content-length') ?? Number.NaN);
  if (response.status === 404) throw contentMissing(response, digest, name);
  if (response.status !== 200) throw await responseError(response, `cannot look for ${digest}`);
  response.discard();
  if (!Number.isSafeInteger(size)) throw protocolError(response.url, 'does not say how large a blob is');
  return { mediaType: 'application/octet-stream', digest, size };
}
