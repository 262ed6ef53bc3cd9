/** The scope of a repository, as the distribution project defines it. */
export function repositoryScope(repository: string, access: 'pull' | 'push'): string {
  return `repository:${repository}:${access === 'push' ? 'pull,push' : 'pull'}`;
}

/** The repository that a request goes to: that of the first scope. */
export function repositoryOf(scopes: readonly string[]): string | undefined {
  return /^repository:([^:]+):/.exec(scopes[0] ?? '')?.[1];
}

/** Whether an address of a registry can be meant by a request for `scopes`: not that of another repository. */
export function inScope({ pathname }: URL, scopes: readonly string[], apiRoot = '/v2/'): boolean {
  const path = [apiRoot, '/v2/'].filter(root => pathname.startsWith(root)).map(root => pathname.slice(root.length))[0];
  const repository = /^(.+)\/(?:manifests|blobs|tags|referrers)\//.exec(path ?? '')?.[1];
  return repository === undefined || repository === (repositoryOf(scopes) ?? repository);
}

/** Whether something is to be changed. */
export function mayWrite(scopes: readonly string[]): boolean {
  return scopes.some(scope => /:(?:.*,)?(?:push|delete|\*)(?:,|$)/.test(scope));
}

/** Each thing once, with all that is wanted of it, in the order of first mention. */
export function mergeScopes(...lists: ReadonlyArray<readonly string[]>): readonly string[] {
  const actions = new Map<string, Set<string>>();
  for (const scope of lists.flat()) {
    const colon = scope.lastIndexOf(':');
    const thing = scope.slice(0, colon);
    const known = actions.get(thing) ?? new Set();
    for (const action of scope.slice(colon + 1).split(',')) known.add(action);
    actions.set(thing, known);
  }
  return [...actions].map(([thing, wanted]) => `${thing}:${[...wanted].join(',')}`);
}

/** The scopes in a challenge that can be asked for; a challenge comes from outside. */
export function challengeScopes(text: string | undefined): readonly string[] {
  const scopes = (text ?? '').split(' ').filter(scope => /^[!#-[\]-~]{1,510}:[!#-[\]-~]{1,100}$/.test(scope));
  return scopes.length <= 10 ? scopes : [];
}
