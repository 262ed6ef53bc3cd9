import type { RegistryContent } from './registry-content.js';
import { Refusal } from './registry-content.js';
import { type Call, reply } from './registry-exchange.js';

/** Which lists a test registry has beyond tags, and how much of one it gives at a time. */
export interface RegistryListsOptions {
  /** The list of what refers to a manifest (OCI 1.1); default yes. Without it clients keep a tag for it. */
  readonly referrers?: boolean | undefined;
  /** It chooses by type of artifact itself; default yes. */
  readonly filtersReferrers?: boolean | undefined;
  /** The list of all repositories; default yes. */
  readonly catalog?: boolean | undefined;
  /** Docker's search; default no. */
  readonly search?: boolean | undefined;
  /** The most entries on one page of any list; default all. */
  readonly entriesPerPage?: number | undefined;
}

/** Answers requests for lists; whether it was one. @throws Refusal when this registry has no such list */
export function answerList(call: Call, content: RegistryContent, options: RegistryListsOptions): boolean {
  const { pathname, searchParams } = call.url;
  if (pathname === '/v2/_catalog') {
    if (options.catalog === false) throw new Refusal(404, 'UNSUPPORTED');
    pages(call, content.repositories(), options, repositories => ({ repositories }));
    return true;
  }
  if (pathname === '/v1/search') {
    if (!options.search) throw new Refusal(404, 'UNSUPPORTED');
    const term = searchParams.get('q') ?? '';
    const found = content.repositories().filter(name => name.includes(term));
    const results = found.map(name => ({ name, description: `about ${name}`, star_count: 3, is_official: false }));
    reply(call, 200, { 'content-type': 'application/json' }, JSON.stringify({ num_results: results.length, results }));
    return true;
  }
  const [, name, subject] = /^\/v2\/(.+)\/referrers\/([^/]+)$/.exec(pathname) ?? [];
  if (name === undefined || subject === undefined) return false;
  if (options.referrers === false) throw new Refusal(404, 'NAME_UNKNOWN');
  const type = searchParams.get('artifactType');
  const filters = type !== null && options.filtersReferrers !== false;
  const all = content.referrers(name, subject).filter(each => !filters || each['artifactType'] === type);
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const headers = { 'content-type': mediaType, ...(filters ? { 'oci-filters-applied': 'artifactType' } : {}) };
  pages(call, all, options, manifests => ({ schemaVersion: 2, mediaType, manifests }), headers);
  return true;
}

function pages<T>(
  call: Call,
  all: readonly T[],
  { entriesPerPage }: RegistryListsOptions,
  document: (entries: readonly T[]) => object,
  headers: Readonly<Record<string, string>> = { 'content-type': 'application/json' },
): void {
  const { searchParams, pathname } = call.url;
  const from = Number(searchParams.get('from') ?? 0);
  const limit = Math.min(Number(searchParams.get('n') ?? all.length), entriesPerPage ?? all.length) || all.length;
  const next = new URLSearchParams(searchParams);
  next.set('from', String(from + limit));
  const link: Record<string, string> =
    from + limit < all.length ? { link: `<${pathname}?${next.toString()}>; rel="next"` } : {};
  reply(call, 200, { ...headers, ...link }, JSON.stringify(document(all.slice(from, from + limit))));
}
