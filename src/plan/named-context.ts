import { formatPlatformFull, normalizePlatform, type Platform } from '../oci/platform.js';
import { familiarName, parseReference } from '../oci/reference.js';

/** What stands between the name of a context and the platform that it is for: `debian::linux/arm64`. */
const separator = '::';

/**
 * The named context that a name means for a platform, if any, as it is called in full: one for that platform alone
 * (`debian::linux/arm64`) goes before one for all. `debian` is also the context `docker.io/library/debian:latest`; the words
 * `scratch` and `context` are never one.
 */
export function namedContextOf(name: string, platform: Platform, contexts: Iterable<string>): string | undefined {
  const known = [...contexts];
  if (known.length === 0 || /^(?:scratch|context)$/i.test(name)) return undefined;
  const ending = separator + formatPlatformFull(normalizePlatform(platform));
  const special = known.filter(full => full.endsWith(ending)).map(full => full.slice(0, -ending.length));
  const found = amongNames(name, special);
  if (found !== undefined) return found + ending;
  return amongNames(
    name,
    known.filter(full => !full.includes(separator)),
  );
}

export function isNamedContext(name: string, platform: Platform, contexts: ReadonlySet<string>): boolean {
  return namedContextOf(name, platform, contexts) !== undefined;
}

/** The two parts of the name of a context that is for one platform. */
export function splitContextName(full: string): { readonly name: string; readonly platform?: string | undefined } {
  const at = full.lastIndexOf(separator);
  return at < 0 ? { name: full } : { name: full.slice(0, at), platform: full.slice(at + separator.length) };
}

export function joinContextName(name: string, platform: Platform): string {
  return name + separator + formatPlatformFull(platform);
}

function amongNames(name: string, names: readonly string[]): string | undefined {
  const exact = [name, name.toLowerCase()].find(spelling => names.includes(spelling));
  if (exact !== undefined) return exact;
  const wanted = shortName(name);
  return wanted === undefined ? undefined : names.find(known => shortName(known) === wanted);
}

function shortName(name: string): string | undefined {
  try {
    return familiarName(parseReference(name)).replace(/:latest$/, '');
  } catch {
    return undefined;
  }
}
