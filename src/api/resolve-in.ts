import type { ResolveOptions } from '../content/content.js';
import { readIndex } from '../content/read-content.js';
import { selectPlatform } from '../content/select-platform.js';
import type { Descriptor } from '../oci/descriptor.js';
import { isIndexType } from '../oci/media-types.js';
import { type Platform, parsePlatform } from '../oci/platform.js';
import type { Endpoint } from '../transport/endpoint.js';

/** What the name of a place leads to; with a platform, and where that is an index, the manifest for that platform. */
export async function resolveIn(
  place: Endpoint,
  { platform, host, ...call }: ResolveOptions & { readonly platform?: string | undefined; readonly host: Platform },
): Promise<Descriptor> {
  const { signal, toOpen } = call;
  const descriptor = await place.resolve(place.name, { signal, toOpen });
  if (platform === undefined || !isIndexType(descriptor.mediaType)) return descriptor;
  return selectPlatform((await readIndex(place, descriptor, { signal })).value, parsePlatform(platform, host));
}
