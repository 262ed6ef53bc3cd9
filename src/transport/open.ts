import { tmpdir } from 'node:os';
import type { BlobFinder, ContentSource, ContentTarget, PartSource, TransferJournal } from '../content/content.js';
import type { ReferrerSource } from '../content/referrers.js';
import { LadingError } from '../errors/errors.js';
import type { Descriptor } from '../oci/descriptor.js';
import { isDigest } from '../oci/digest.js';
import type { CallOptions } from '../stream/bytes.js';
import type { Endpoint } from './endpoint.js';
import { LayoutEndpoint } from './layout-endpoint.js';
import type { Location } from './location.js';
import type { RegistryAccessOptions } from './registry/access.js';
import type { RegistryEndpoint } from './registry/client.js';
import type { RegistryConnection } from './registry/connection.js';

export type { Endpoint } from './endpoint.js';
export type { RegistryAccessOptions } from './registry/access.js';

/** What a store can do as a place of images. */
export interface StorePlace extends ContentSource, ContentTarget, PartSource, BlobFinder, ReferrerSource {
  /** Lists an image that has no name. */
  keep(descriptor: Descriptor, options?: CallOptions): Promise<void>;
}

export interface OpenLocationOptions extends CallOptions {
  /** An archive is opened to read what is there, or to write a new one in its place. */
  readonly access: 'read' | 'write';
  readonly registry?: RegistryAccessOptions | undefined;
  /** What `store:NAME` means; it stays open. */
  readonly store?: StorePlace | undefined;
  /** Where uploads are noted, so that another process can go on with them. */
  readonly journal?: TransferJournal | undefined;
  /** A folder for uncompressed copies of compressed archives. Default the system's. */
  readonly tmpDir?: string | undefined;
}

/**
 * Opens a place where images live.
 * @throws LadingError PATH_NOT_FOUND, INVALID_ARCHIVE, INVALID_DOCUMENT, IO for archives; registries are not asked yet
 */
export async function openLocation(location: Location, options: OpenLocationOptions): Promise<Endpoint> {
  options.signal?.throwIfAborted();
  switch (location.transport) {
    case 'registry':
      return openRegistryLocation(location, options);
    case 'store':
      return storeEndpoint(location.name, options.store);
    case 'oci-layout':
      return new LayoutEndpoint(location.path, location.name ?? '');
    default:
      return openArchive(location, options);
  }
}

/** As `openLocation`, with what only registries can do: mounting, listing tags. */
export async function openRegistryLocation(
  { reference }: Extract<Location, { transport: 'registry' }>,
  { access, journal, registry = {} }: OpenLocationOptions,
): Promise<RegistryEndpoint> {
  // Loaded when it is needed: most commands never speak to a registry.
  const [{ openRegistry }, { routeTo }] = await Promise.all([
    import('./registry/client.js'),
    import('./registry/access.js'),
  ]);
  const { connection, ...place } = await routeTo(reference, registry, access);
  const foreign = access === 'read' ? registry.foreignLayers : undefined;
  return openRegistry({
    ...connection,
    reference: { ...reference, ...place },
    access: access === 'read' ? 'pull' : 'push',
    chunkSizeBytes: registry.chunkSizeBytes,
    parallelRanges: registry.parallelRanges,
    foreignLayers:
      foreign && new (await import('./registry/foreign-layers.js')).ForeignLayers({ ...registry, ...foreign }),
    journal,
  });
}

/** A registry itself, for what belongs to no repository. Close it. */
export async function openRegistryConnection(
  registry: string,
  { registry: access = {} }: Pick<OpenLocationOptions, 'registry'>,
): Promise<RegistryConnection> {
  const { RegistryConnection } = await import('./registry/connection.js');
  const { connectionTo } = await import('./registry/access.js');
  return new RegistryConnection(registry, await connectionTo(registry, access));
}

async function openArchive(
  { transport, path, name = '' }: Extract<Location, { transport: 'oci-layout' | 'oci-archive' | 'docker-archive' }>,
  { access, signal, tmpDir = tmpdir() }: OpenLocationOptions,
): Promise<Endpoint> {
  const format = transport === 'docker-archive' ? transport : 'oci-archive';
  if (access === 'write') {
    const { ArchiveTarget } = await import('./archive/archive-target.js');
    return ArchiveTarget.create(path, format, name);
  }
  if (format === 'docker-archive') {
    const { openDockerArchive } = await import('./archive/docker-archive.js');
    return openDockerArchive(path, name, { tmpDir, signal });
  }
  const { openOciArchive } = await import('./archive/oci-archive.js');
  return openOciArchive(path, name, { tmpDir, signal });
}

function storeEndpoint(
  name: string,
  store: StorePlace | undefined,
): Endpoint & PartSource & BlobFinder & ReferrerSource {
  if (store === undefined) {
    throw new LadingError('USAGE', 'there is no store to look for the image in', {
      details: {},
      hint: 'Give the store that store:NAME means.',
    });
  }
  return {
    name,
    resolve: (wanted, options) => store.resolve(wanted, options),
    has: (descriptor, options) => store.has(descriptor, options),
    open: (descriptor, options) => store.open(descriptor, options),
    openFrom: (descriptor, offset, options) => store.openFrom(descriptor, offset, options),
    put: (descriptor, content, options) => store.put(descriptor, content, options),
    tag: (descriptor, wanted, options) =>
      isDigest(wanted) ? store.keep(descriptor, options) : store.tag(descriptor, wanted, options),
    findBlob: (digest, options) => store.findBlob(digest, options),
    referrers: (subject, options) => store.referrers(subject, options),
    close: async () => {},
    abort: async () => {},
  };
}
