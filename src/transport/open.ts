import { tmpdir } from 'node:os';
import type { ContentSource, ContentTarget } from '../content/content.js';
import { LadingError } from '../errors/errors.js';
import type { CallOptions } from '../stream/bytes.js';
import type { Endpoint } from './endpoint.js';
import type { ProxySettings } from './http/proxy.js';
import { LayoutEndpoint } from './layout-endpoint.js';
import type { Location } from './location.js';
import type { RegistryEndpoint } from './registry/client.js';
import type { CredentialSource } from './registry/credentials.js';
import type { RegistryEvent } from './registry/events.js';

export type { Endpoint } from './endpoint.js';

/** How registries are reached. */
export interface RegistryAccessOptions {
  /** Plain HTTP and unverified certificates are accepted from registries that are not on this machine. */
  readonly insecure?: boolean | undefined;
  /** A file with credentials and helpers, of Docker's or podman's form, instead of all that `env` leads to. */
  readonly authFile?: string | undefined;
  /** Where the files of Docker, podman and skopeo are looked up; credential helpers run with it. Default: nothing. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Where credential helpers are looked for, instead of the `PATH` of `env`. */
  readonly helperPath?: string | undefined;
  /** Where the machine's configuration is: `/etc`. Default: it is not read. */
  readonly etc?: string | undefined;
  /** Instead of all that: who knows the credentials. */
  readonly credentials?: CredentialSource | undefined;
  /** Through what registries, and servers of files that a build gets, are asked; by default nothing. */
  readonly proxy?: ProxySettings | undefined;
  /** Default `lading`. */
  readonly userAgent?: string | undefined;
  /** Uploads blobs larger than this in pieces of this size. Default: a blob is one request. */
  readonly chunkSizeBytes?: number | undefined;
  /** Told of what went on without failing: a helper that is missing, a request that is tried again. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

export interface OpenLocationOptions extends CallOptions {
  /** An archive is opened to read what is there, or to write a new one in its place. */
  readonly access: 'read' | 'write';
  readonly registry?: RegistryAccessOptions | undefined;
  /** What `store:NAME` means; it stays open. */
  readonly store?: (ContentSource & ContentTarget) | undefined;
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
  { access, registry = {} }: OpenLocationOptions,
): Promise<RegistryEndpoint> {
  // Loaded when it is needed: most commands never speak to a registry.
  const { openRegistry } = await import('./registry/client.js');
  const { registryCredentials } = await import('./registry/registry-credentials.js');
  const { certificatePlaces } = await import('./registry/certificate-places.js');
  const { hostCertificates } = await import('./registry/certificates.js');
  const { onWarning } = registry;
  return openRegistry({
    reference,
    access: access === 'read' ? 'pull' : 'push',
    insecure: registry.insecure,
    credentials: registryCredentials(registry),
    certificates: hostCertificates(certificatePlaces(registry)),
    proxy: registry.proxy,
    userAgent: registry.userAgent,
    chunkSizeBytes: registry.chunkSizeBytes,
    onEvent: onWarning && (event => onWarning(messageOf(event))),
  });
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

function storeEndpoint(name: string, store: OpenLocationOptions['store']): Endpoint {
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
    put: (descriptor, content, options) => store.put(descriptor, content, options),
    tag: (descriptor, wanted, options) => store.tag(descriptor, wanted, options),
    close: async () => {},
    abort: async () => {},
  };
}

function messageOf(event: RegistryEvent): string {
  if (event.kind === 'registry-warning') return `${event.registry}: ${event.message}`;
  return `${event.method} ${event.url}: ${event.reason}; trying again in ${Math.ceil(event.delayMs / 1000)} s`;
}
