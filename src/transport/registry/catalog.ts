import * as z from 'zod/mini';
import { LadingError } from '../../errors/errors.js';
import type { CallOptions } from '../../stream/bytes.js';
import type { RegistryConnection } from './connection.js';
import { listPages } from './pages.js';

const schema = z.looseObject({ repositories: z.nullish(z.array(z.string().check(z.maxLength(1024)))) });

/**
 * All repositories of a registry, page after page: an extension that Docker's registry has and public ones do not.
 * @throws LadingError UNSUPPORTED when the registry has no such list
 */
export async function* listRepositories(
  connection: RegistryConnection,
  { signal }: CallOptions = {},
): AsyncGenerator<string> {
  const { registry } = connection;
  const onMissing = (): Error =>
    new LadingError('UNSUPPORTED', `${registry} does not list its repositories`, {
      details: { feature: 'catalog' },
      hint: 'Large public registries do not. Look a repository up by name: lading tags NAME.',
    });
  const pages = listPages(connection, {
    path: '/v2/_catalog?n=1000',
    schema,
    what: `the repositories of ${registry}`,
    scopes: ['registry:catalog:*'],
    signal,
    onMissing,
  });
  for await (const { value } of pages) yield* value.repositories ?? [];
}
