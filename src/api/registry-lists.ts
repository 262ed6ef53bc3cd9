import { parseReference } from '../oci/reference.js';
import { openRegistryLocation } from '../transport/open.js';
import type { FoundRepository } from '../transport/registry/search.js';
import type { TransferOptions } from './registry-access.js';
import { registryClient } from './registry-client.js';

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
  const client = registryClient({ ...options.registry, registry, access: 'pull' });
  try {
    yield* client.repositories(options);
  } finally {
    await client.close();
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
  const client = registryClient({ ...options.registry, registry, access: 'pull' });
  try {
    return await client.search(term, options);
  } finally {
    await client.close();
  }
}
