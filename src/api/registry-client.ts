import type { BlobFinder, BlobMounter, ContentSource, ContentTarget, PartSource } from '../content/content.js';
import type { ReferrerSource } from '../content/referrers.js';
import type { Digest } from '../oci/digest.js';
import { parseReference } from '../oci/reference.js';
import type { CallOptions } from '../stream/bytes.js';
import { openRegistryConnection, openRegistryLocation, type RegistryAccessOptions } from '../transport/open.js';
import type { RegistryConnection } from '../transport/registry/connection.js';
import type { FoundRepository, SearchOptions } from '../transport/registry/search.js';

export interface RegistryClientOptions extends RegistryAccessOptions {
  /** As in a reference: `ghcr.io`, `127.0.0.1:5000`. */
  readonly registry: string;
  /** What is asked for first: reading, or writing as well. Default `push`. */
  readonly access?: 'pull' | 'push' | undefined;
}

/** A repository: content that images are copied from and to, with what only registries can do. */
export interface RegistryRepository
  extends ContentSource,
    PartSource,
    ContentTarget,
    BlobFinder,
    BlobMounter,
    ReferrerSource {
  /** In the registry's order, read page after page as they are asked for. */
  tags(options?: CallOptions): AsyncIterable<string>;
  /** A tag alone, or by its digest a manifest with all its tags. */
  delete(name: string, options?: CallOptions): Promise<void>;
  deleteBlob(digest: Digest, options?: CallOptions): Promise<void>;
  /** Cancels uploads that are under way, and closes its sockets. */
  close(): Promise<void>;
}

/** One registry. It opens no socket before it is asked for something. */
export interface RegistryClient {
  /** `team/app`; on Docker Hub `debian` is `library/debian`. Throws INVALID_VALUE. */
  repository(name: string): Promise<RegistryRepository>;
  /** Names of all repositories, where the registry lists them; else UNSUPPORTED. */
  repositories(options?: CallOptions): AsyncIterable<string>;
  search(term: string, options?: SearchOptions): Promise<FoundRepository[]>;
  /** Closes it with all its repositories. */
  close(): Promise<void>;
}

/** A client of a registry's own: to list, to look at and to change what is there, without a store. */
export function registryClient(options: RegistryClientOptions): RegistryClient {
  const { registry, access = 'push', ...reach } = options;
  const opened = new Set<{ close(): Promise<void> }>();
  const kept = <T extends { close(): Promise<void> }>(one: T): T => {
    opened.add(one);
    return one;
  };
  let connection: Promise<RegistryConnection> | undefined;
  let searching: Promise<RegistryConnection> | undefined;
  const connected = (): Promise<RegistryConnection> => {
    connection ??= openRegistryConnection(registry, { registry: reach }).then(kept);
    return connection;
  };
  return {
    async repository(name) {
      const { repository } = parseReference(`${registry}/${name}`);
      const reference = {
        registry: registry === 'index.docker.io' ? 'docker.io' : registry,
        repository,
        tag: 'latest',
      };
      const location = { transport: 'registry', reference } as const;
      return kept(
        await openRegistryLocation(location, { access: access === 'push' ? 'write' : 'read', registry: reach }),
      );
    },
    async *repositories(call) {
      const { listRepositories } = await import('../transport/registry/catalog.js');
      yield* listRepositories(await connected(), call);
    },
    async search(term, call) {
      const { searchRepositories } = await import('../transport/registry/search.js');
      searching ??=
        registry === 'docker.io'
          ? // Docker Hub searches under another name than the one that serves its images.
            openRegistryConnection('index.docker.io', { registry: reach }).then(kept)
          : connected();
      return await searchRepositories(await searching, term, call);
    },
    async close() {
      await Promise.allSettled([connection, searching]);
      await Promise.all([...opened].map(one => one.close()));
      opened.clear();
    },
  };
}
