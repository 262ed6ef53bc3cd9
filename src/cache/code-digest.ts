/** Put in its place by `build.js`: see there. */
declare const ladingCodeDigest: string | undefined;

/**
 * What tells this code from another version of it. Results that were looked up by what went into them, and not by what they
 * are, are of use to no other version: it may have learned to do better. A constant where the code is run as it is written.
 */
export const codeDigest = typeof ladingCodeDigest === 'string' ? ladingCodeDigest : 'source';
