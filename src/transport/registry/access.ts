import type { Reference } from '../../oci/reference.js';
import type { HttpDispatcher } from '../http/dispatcher.js';
import type { ProxySettings } from '../http/proxy.js';
import { certificatePlaces } from './certificate-places.js';
import { type Certificates, openCertificates, readAuthorities, readClientCertificate } from './certificates.js';
import { apiHost, type ConnectionOptions, RegistryConnection } from './connection.js';
import type { CredentialSource } from './credentials.js';
import type { RegistryEvent, RegistryEventSink } from './events.js';
import { registryCredentials } from './registry-credentials.js';
import { findRoute, type RegistryPlace } from './settings/route.js';

/** How registries are reached. */
export interface RegistryAccessOptions {
  /** Plain HTTP and unverified certificates are accepted from registries that are not on this machine. */
  readonly insecure?: boolean | undefined;
  /** A file with credentials and helpers, of Docker's or podman's form, instead of all that `env` leads to. */
  readonly authFile?: string | undefined;
  /**
   * Where `LADING_AUTH_*` is read, and the files of Docker, podman and skopeo are looked up; credential helpers run with it.
   * Default: nothing.
   */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Where credential helpers are looked for, instead of the `PATH` of `env`. */
  readonly helperPath?: string | undefined;
  /** Where the machine's configuration is: `/etc`. Default: it is not read. */
  readonly etc?: string | undefined;
  /** A file that says where registries and their mirrors are, before what podman's and containerd's files say. */
  readonly registryConfig?: string | undefined;
  /** Instead of all that: who knows the credentials. */
  readonly credentials?: CredentialSource | undefined;
  /** No registry is asked: what needs one fails with OFFLINE, unless the store will do. */
  readonly offline?: boolean | undefined;
  /** Through what registries, and servers of files that a build gets, are asked; by default nothing. */
  readonly proxy?: ProxySettings | undefined;
  /** Where services that know credentials are asked instead, by their origin: private addresses of them, or doubles. */
  readonly tokenServices?: Readonly<Record<string, string>> | undefined;
  /** Milliseconds since 1970, for requests that are signed. Default the clock of the system. */
  readonly now?: (() => number) | undefined;
  /** Default `lading`. */
  readonly userAgent?: string | undefined;
  /** Uploads blobs larger than this in pieces of this size. Default: a blob is one request, until one fails. */
  readonly chunkSizeBytes?: number | undefined;
  /** In how many ranges at a time a very large blob is downloaded; default 1. Each holds 4 MiB in memory. */
  readonly parallelRanges?: number | undefined;
  /**
   * Layers that a registry does not have, as their licence keeps them elsewhere, are read from the addresses in their
   * descriptor: over HTTPS, from the public internet, without credentials. `hosts` may be in a network of one's own:
   * `HOST[:PORT]`, or `http://HOST[:PORT]`. Default: they are left out.
   */
  readonly foreignLayers?: { readonly hosts?: readonly string[] | undefined } | undefined;
  /** Blobs on their way at a time, from one registry and to one; default 8. */
  readonly connections?: number | undefined;
  /** How often a request that may succeed later is sent again; default 4. */
  readonly retries?: number | undefined;
  /** The longest that a request may take with all its attempts and waits; default 10 minutes. */
  readonly retryForMs?: number | undefined;
  /** Told of what went on without failing: a helper that is missing, a request that is tried again. */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** The same, for programs. */
  readonly onEvent?: RegistryEventSink | undefined;
  /**
   * What requests go through, such as an agent of undici with settings of its own. Certificates and proxies are then its
   * affair, and it stays open.
   */
  readonly dispatcher?: HttpDispatcher | undefined;
}

/** An image in its registry, by the settings of the user and of the machine. */
export interface RegistryRoute {
  /** Where it is. */
  readonly registry: string;
  readonly repository: string;
  /** How its registry is reached. */
  readonly connection: ConnectionOptions;
}

/**
 * To write, the registry alone is asked: what a mirror has is no reason not to bring it there.
 * @throws LadingError REGISTRY_BLOCKED, INVALID_DOCUMENT, IO, PATH_NOT_FOUND
 */
export async function routeTo(
  reference: Reference,
  access: RegistryAccessOptions,
  intent: 'read' | 'write',
): Promise<RegistryRoute> {
  const { origin, mirrors } = await findRoute(reference, access);
  const common = connectionOptions(access);
  const { registry, repository } = origin;
  return {
    registry,
    repository,
    connection: {
      ...placeOptions(origin, common),
      ...(intent === 'write' || mirrors.length === 0
        ? {}
        : {
            mirrors: {
              repository,
              mirrors,
              connect: mirror => new RegistryConnection(mirror.registry, placeOptions(mirror, common)),
            },
          }),
    },
  };
}

/** What a registry as a whole is asked with. @throws as `routeTo` */
export async function connectionTo(registry: string, access: RegistryAccessOptions): Promise<ConnectionOptions> {
  const { origin } = await findRoute({ registry, repository: 'any/any' }, access);
  const common = connectionOptions(access);
  // What is moved elsewhere as a whole is not this registry any more.
  return origin.registry === registry ? placeOptions(origin, common) : common;
}

type CommonOptions = ConnectionOptions & { readonly certificates: Certificates };

/** The same for a place for which files of settings say something. */
function placeOptions(place: RegistryPlace, common: CommonOptions): ConnectionOptions {
  const { registry, scheme, apiRoot, authorityFiles, client } = place;
  return {
    ...common,
    insecure: common.insecure || place.insecure,
    scheme,
    apiRoot,
    certificates: {
      ...common.certificates,
      async ofHost(host) {
        const known = await common.certificates.ofHost(host);
        if (host !== apiHost(registry)) return known;
        const authorities = await Promise.all(authorityFiles.map(readAuthorities));
        return {
          authorities: [...authorities, ...known.authorities],
          client: client === undefined ? known.client : await readClientCertificate(client.certificate, client.key),
        };
      },
    },
  };
}

/** What connections to registries are made with. */
function connectionOptions(access: RegistryAccessOptions): CommonOptions {
  const { insecure, offline, proxy, userAgent, connections, retries, retryForMs, dispatcher } = access;
  return {
    insecure,
    offline,
    proxy,
    userAgent,
    connections,
    retries,
    retryForMs,
    credentials: registryCredentials(access),
    certificates: openCertificates(certificatePlaces(access)),
    dispatcher,
    onEvent: eventSink(access),
  };
}

function eventSink({ onWarning, onEvent }: RegistryAccessOptions): RegistryEventSink | undefined {
  if (onWarning === undefined) return onEvent;
  return event => {
    onWarning(messageOf(event));
    onEvent?.(event);
  };
}

function messageOf(event: RegistryEvent): string {
  switch (event.kind) {
    case 'registry-warning':
      return `${event.registry}: ${event.message}`;
    case 'registry-retry':
      return `${event.method} ${event.url}: ${event.reason}; trying again in ${Math.ceil(event.delayMs / 1000)} s`;
    case 'registry-rate-limit': {
      const { registry, remaining, limit, windowSeconds } = event;
      const of = limit === undefined ? '' : ` of ${limit}`;
      const window = windowSeconds === undefined ? '' : ` in ${Math.round(windowSeconds / 60)} minutes`;
      return `${registry}: ${remaining}${of} requests${window} are left`;
    }
    case 'transfer-continued':
      return `${event.direction} of ${event.digest}: going on behind ${event.offset} bytes`;
    case 'transfer-repeated':
      return `${event.direction} of ${event.digest}: ${event.bytes} bytes were transferred again`;
  }
}
