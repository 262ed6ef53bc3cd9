import type { Digest } from '../oci/digest.js';

/** Something from elsewhere that a build has used, by an address that may be shown and the digest of what was there. */
export interface Material {
  readonly uri: string;
  readonly digest: MaterialDigest;
}

/** Of content; or the commit of a Git repository, by the hash that the repository uses. */
export type MaterialDigest = Digest | `${'sha1' | 'sha256'}:${string}`;
