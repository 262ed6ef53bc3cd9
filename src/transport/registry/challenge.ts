/** One challenge of a `WWW-Authenticate` header (RFC 9110, 11.6.1). */
export interface Challenge {
  /** Lower-case: `basic`, `bearer`. */
  readonly scheme: string;
  /** By lower-case name; of several of one name the first. */
  readonly parameters: ReadonlyMap<string, string>;
}

const headerLimit = 16 * 1024;
const challengeLimit = 16;

/**
 * Reads what can be read and skips what cannot: the header comes from outside. Takes time in proportion to its length.
 */
export function parseChallenges(header: string | undefined): readonly Challenge[] {
  if (header === undefined || header.length > headerLimit) return [];
  const challenges: Array<{ scheme: string; parameters: Map<string, string> }> = [];
  let at = 0;
  const skip = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const found = pattern.exec(header)?.[0] ?? '';
    at += found.length;
    return found;
  };
  while (at < header.length) {
    if (skip(/[\s,]*/y) !== '' && at >= header.length) break;
    const token = skip(/[!#$%&'*+.^_`|~0-9A-Za-z-]+/y);
    if (token === '') {
      at++;
      continue;
    }
    const end = at;
    skip(/\s*/y);
    const current = challenges.at(-1);
    if (header[at] === '=' && current !== undefined) {
      at++;
      skip(/\s*/y);
      const value = header[at] === '"' ? quoted() : skip(/[^\s,"]*/y);
      const name = token.toLowerCase();
      if (!current.parameters.has(name)) current.parameters.set(name, value);
      continue;
    }
    at = end;
    if (challenges.length >= challengeLimit) break;
    challenges.push({ scheme: token.toLowerCase(), parameters: new Map() });
  }
  return challenges;

  function quoted(): string {
    let value = '';
    for (at++; at < header!.length && header![at] !== '"'; at++) {
      if (header![at] === '\\' && at + 1 < header!.length) at++;
      value += header![at];
    }
    at++;
    return value;
  }
}
