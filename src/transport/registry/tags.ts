import * as z from 'zod/mini';
import { LadingError } from '../../errors/errors.js';
import type { RegistryConnection } from './connection.js';
import { listPages } from './pages.js';

const schema = z.looseObject({ tags: z.nullish(z.array(z.string().check(z.maxLength(128)))) });

/** All tags of a repository, page after page (distribution-spec, "Listing Tags"). */
export async function* listTags(
  connection: RegistryConnection,
  repository: string,
  scopes: readonly string[],
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  const path = `/v2/${repository}/tags/list?n=1000`;
  const what = `the tags of ${repository}`;
  const reference = `${connection.registry}/${repository}`;
  const onMissing = (): Error =>
    new LadingError('REFERENCE_NOT_FOUND', `${reference} is not in the registry`, {
      details: { reference },
      hint: 'Check the name of the repository.',
    });
  for await (const { value } of listPages(connection, { path, schema, what, scopes, signal, onMissing })) {
    yield* value.tags ?? [];
  }
}
