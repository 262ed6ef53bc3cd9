import * as z from 'zod/mini';
import { isLadingError } from '../../errors/errors.js';
import { parseDocument } from '../../oci/json.js';
import type { CallOptions } from '../../stream/bytes.js';
import { readCapped } from '../../stream/read-capped.js';
import { listRepositories } from './catalog.js';
import type { RegistryConnection } from './connection.js';
import { responseError } from './failure.js';

/** A repository that a search has found. What a registry does not tell is absent. */
export interface FoundRepository {
  /** As it is in a reference, without the registry. */
  readonly name: string;
  readonly description?: string | undefined;
  readonly stars?: number | undefined;
  readonly official?: boolean | undefined;
}

export interface SearchOptions extends CallOptions {
  /** The most results; default 25. */
  readonly limit?: number | undefined;
}

const answerLimit = 8 * 1024 * 1024;
const answerSchema = z.looseObject({
  results: z.nullish(
    z.array(
      z.looseObject({
        name: z.string().check(z.maxLength(1024)),
        description: z.nullish(z.string()),
        star_count: z.nullish(z.number()),
        is_official: z.nullish(z.boolean()),
      }),
    ),
  ),
});

/**
 * Repositories whose name, or whatever the registry looks at, has `term` in it: by Docker's search interface where the
 * registry has it (Docker Hub does), else among the names of its catalog.
 * @throws LadingError UNSUPPORTED when it has neither
 */
export async function searchRepositories(
  connection: RegistryConnection,
  term: string,
  { limit = 25, signal }: SearchOptions = {},
): Promise<FoundRepository[]> {
  const url = `/v1/search?q=${encodeURIComponent(term)}&n=${limit}`;
  const response = await connection.send({ method: 'GET', url, scopes: [], signal });
  if (response.status === 200) {
    const { results } = parseDocument(
      await readCapped(response.body, answerLimit, 'search result'),
      answerSchema,
      'search result',
    );
    return (results ?? []).slice(0, limit).map(({ name, description, star_count, is_official }) => ({
      name,
      ...(description ? { description } : {}),
      ...(star_count == null ? {} : { stars: star_count }),
      ...(is_official == null ? {} : { official: is_official }),
    }));
  }
  const refusal = await responseError(response, 'cannot search');
  // Registries that know only the distribution API answer what is not in it with any of these.
  if (![400, 401, 403, 404, 405].includes(response.status)) throw refusal;
  try {
    return await searchCatalog(connection, term.toLowerCase(), limit, signal);
  } catch (error) {
    throw response.status === 404 || !isLadingError(error, 'AUTH_FAILED') ? error : refusal;
  }
}

async function searchCatalog(
  connection: RegistryConnection,
  term: string,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<FoundRepository[]> {
  const found: FoundRepository[] = [];
  for await (const name of listRepositories(connection, { signal })) {
    if (!name.toLowerCase().includes(term)) continue;
    found.push({ name });
    if (found.length >= limit) break;
  }
  return found;
}
