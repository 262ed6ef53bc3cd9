import type * as z from 'zod/mini';
import { parseDocument } from '../../oci/json.js';
import { readCapped } from '../../stream/read-capped.js';
import type { HttpResponse } from '../http/http.js';
import type { RegistryConnection } from './connection.js';
import { protocolError, responseError } from './failure.js';

const pageSizeLimit = 8 * 1024 * 1024;
const pageLimit = 10_000;

export interface PagesRequest<T> {
  /** Of the first page, below the registry's root. */
  readonly path: string;
  readonly schema: z.ZodMiniType<T>;
  /** What is listed, for messages: `the tags of app`. */
  readonly what: string;
  readonly scopes: readonly string[];
  readonly signal?: AbortSignal | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The status of a first page that says that there is no such list; default 404 alone. */
  readonly missing?: readonly number[] | undefined;
  /** The error that this is; without it there is just no page. */
  readonly onMissing?: (() => Error) | undefined;
}

/** A page, and what came with it. */
export interface Page<T> {
  readonly value: T;
  readonly response: HttpResponse;
}

/**
 * The pages of a list, each read when it is asked for: the registry says in a `Link` header where the next one is
 * (distribution-spec, "Listing Tags" and "Listing Referrers"). A list that is not there is an error by `onMissing`, else
 * no page at all.
 */
export async function* listPages<T>(connection: RegistryConnection, request: PagesRequest<T>): AsyncGenerator<Page<T>> {
  const { path, schema, what, scopes, signal, headers, missing = [404], onMissing } = request;
  const base = await connection.base(signal);
  let url: string | URL = path;
  for (let page = 0; page < pageLimit; page++) {
    const response = await connection.send({ method: 'GET', url, scopes, signal, headers });
    if (page === 0 && missing.includes(response.status)) {
      response.discard();
      if (onMissing !== undefined) throw onMissing();
      return;
    }
    if (response.status !== 200) throw await responseError(response, `cannot list ${what}`);
    const value = parseDocument(await readCapped(response.body, pageSizeLimit, what), schema, 'list');
    yield { value, response };
    const next = /<([^<>]{1,4096})>\s*;\s*rel="?next"?/i.exec(response.header('link') ?? '')?.[1];
    if (next === undefined) return;
    const here = response.url;
    const following: URL | undefined = URL.canParse(next, here.href) ? new URL(next, here) : undefined;
    // Registries behind a proxy that ends TLS often do not know their own scheme.
    if (following?.host === base.host) following.protocol = base.protocol;
    if (following?.origin !== base.origin || following.href === here.href) {
      throw protocolError(here, 'continues a list at a place that cannot be');
    }
    url = following;
  }
  throw protocolError(base, 'has a list without end');
}
