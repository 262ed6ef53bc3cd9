import { familiarName, parseReference } from '../../src/index.js';

/** `NAME:TAG@DIGEST`: a name that means these bytes and no others. */
export function namedDigest(name: string, digest: string): string {
  const { registry, repository, tag } = parseReference(name);
  return `${familiarName({ registry, repository, tag })}@${digest}`;
}
