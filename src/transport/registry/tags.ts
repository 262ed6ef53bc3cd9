import * as z from 'zod';
import { LadingError } from '../../errors/errors.js';
import { parseDocument } from '../../oci/json.js';
import { readCapped } from '../../stream/read-capped.js';
import type { RegistryConnection } from './connection.js';
import { protocolError, responseError } from './failure.js';

const answerSchema = z.looseObject({ tags: z.array(z.string().max(128)).nullish() });
const pageSizeLimit = 8 * 1024 * 1024;
const pageLimit = 10_000;

/** All tags of a repository, page after page (distribution-spec, "Listing Tags"). */
export async function* listTags(
  connection: RegistryConnection,
  repository: string,
  scopes: readonly string[],
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  const base = await connection.base(signal);
  let url: string | URL = `/v2/${repository}/tags/list?n=1000`;
  for (let page = 0; page < pageLimit; page++) {
    const response = await connection.send({ method: 'GET', url, scopes, signal });
    if (response.status === 404) {
      response.discard();
      const reference = `${connection.registry}/${repository}`;
      throw new LadingError('REFERENCE_NOT_FOUND', `${reference} is not in the registry`, {
        details: { reference },
        hint: 'Check the name of the repository.',
      });
    }
    if (response.status !== 200) throw await responseError(response, `cannot list the tags of ${repository}`);
    const { tags } = parseDocument(
      await readCapped(response.body, pageSizeLimit, 'list of tags'),
      answerSchema,
      'list of tags',
    );
    yield* tags ?? [];
    const next = /<([^<>]{1,4096})>\s*;\s*rel="?next"?/i.exec(response.header('link') ?? '')?.[1];
    if (next === undefined) return;
    const here = response.url;
    const following: URL | undefined = URL.canParse(next, here.href) ? new URL(next, here) : undefined;
    if (following?.origin !== base.origin || following.href === here.href) {
      throw protocolError(here, 'continues its list of tags at a place that cannot be');
    }
    url = following;
  }
  throw protocolError(base, 'lists tags without end');
}
