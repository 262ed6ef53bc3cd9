import { LadingError } from '../../errors/errors.js';
import type { Descriptor } from '../../oci/descriptor.js';
import { systemTiming, type Timing } from '../http/timing.js';
import type { BlobPlace } from './blob-place.js';
import type { RegistryConnection } from './connection.js';
import { registryFailures, responseError } from './failure.js';

export interface RegistryBlobOptions {
  readonly repository: string;
  readonly scopes: readonly string[];
  readonly timing?: Timing | undefined;
}

/** A blob in a repository of a registry. It holds one of the host's places for downloads while it is read. */
export function registryBlob(
  connection: RegistryConnection,
  { digest, urls }: Descriptor,
  { repository, scopes, timing = systemTiming }: RegistryBlobOptions,
): BlobPlace {
  return {
    failures: registryFailures,
    timing,
    enter: signal => connection.enter('download', signal),
    ask: (headers, signal) =>
      connection.send({ method: 'GET', url: `/v2/${repository}/blobs/${digest}`, headers, scopes, signal }),
    async refused(response) {
      if (response.status !== 404) return await responseError(response, `cannot read ${digest}`);
      response.discard();
      return new LadingError('BLOB_NOT_FOUND', `${connection.registry}/${repository} has no ${digest}`, {
        details: { digest },
        hint:
          urls === undefined || urls.length === 0
            ? 'The image is incomplete in the registry; push it again, or check the name.'
            : 'It is kept elsewhere: --foreign-layers fetches it from the addresses in the manifest.',
      });
    },
  };
}
