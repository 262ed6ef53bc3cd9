import { parseReference } from '../oci/reference.js';
import { openRegistryConnection, openRegistryLocation } from '../transport/open.js';
import type { FoundRepository } from '../transport/registry/search.js';
import type { TransferOptions } from './registry-access.js';

export type ListOptions = Pick<TransferOptions, 'registry' | 'signal'>;

/** The tags of a repository, in the registry's order, as they come. */
export async function* listTags(repository: string, options: ListOptions = {}): AsyncGenerator<string> {
  const reference = parseReference(repository);
  const endpoint = await openRegistryLocation({ transport: 'registry', reference }, { ...options, access: 'read' });
  try {
    yield* endpoint.tags({ signal: options.signal });
  } finally {
    await endpoint.close();
  }
}

/**
 * The repositories of a registry (`127.0.0.1:5000`), as they come.
 * @throws LadingError UNSUPPORTED when the registry does not list them
 */
export async function* listRepositories(registry: string, options: ListOptions = {}): AsyncGenerator<string> {
  const { listRepositories: list } = await import('../transport/registry/catalog.js');
  const connection = await openRegistryConnection(registry, options);
  try {
    yield* list(connection, options);
  } finally {
    await connection.close();
  }
}

export interface SearchOptions extends ListOptions {
  /** Default 25. */
  readonly limit?: number | undefined;
}

/** Looks for repositories in a registry: with its search interface, else in its catalog. */
export async function searchImages(
  term: string,
  registry: string,
  options: SearchOptions = {},
): Promise<FoundRepository[]> {
  const { searchRepositories } = await import('../transport/registry/search.js');
  // Docker Hub searches under another name than the one that serves its images.
  const host = registry === 'docker.io' ? 'index.docker.io' : registry;
  const connection = await openRegistryConnection(host, options);
  try {
    return await searchRepositories(connection, term, options);
  } finally {
    await connection.close();
  }
}
