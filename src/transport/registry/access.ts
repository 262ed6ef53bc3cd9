import type { ProxySettings } from '../http/proxy.js';
import { certificatePlaces } from './certificate-places.js';
import { hostCertificates } from './certificates.js';
import type { ConnectionOptions } from './connection.js';
import type { CredentialSource } from './credentials.js';
import type { RegistryEvent } from './events.js';
import { registryCredentials } from './registry-credentials.js';

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

/** What connections to registries are made with. */
export function connectionOptions(access: RegistryAccessOptions): ConnectionOptions {
  const { insecure, proxy, userAgent, onWarning } = access;
  return {
    insecure,
    proxy,
    userAgent,
    credentials: registryCredentials(access),
    certificates: hostCertificates(certificatePlaces(access)),
    onEvent: onWarning && (event => onWarning(messageOf(event))),
  };
}

function messageOf(event: RegistryEvent): string {
  if (event.kind === 'registry-warning') return `${event.registry}: ${event.message}`;
  return `${event.method} ${event.url}: ${event.reason}; trying again in ${Math.ceil(event.delayMs / 1000)} s`;
}
