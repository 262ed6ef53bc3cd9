import { LadingError } from '../errors/errors.js';
import { type Digest, isDigest } from './digest.js';

/** A parsed image name. `registry` and `repository` are always there; Docker Hub's short forms are spelled out. */
export interface Reference {
  /** Host with optional port, as the user knows it: `docker.io`, `ghcr.io`, `127.0.0.1:5000`. */
  readonly registry: string;
  /** Path inside the registry: `library/debian`. */
  readonly repository: string;
  readonly tag?: string | undefined;
  readonly digest?: Digest | undefined;
}

const pathComponent = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const registryPattern =
  /^(?:(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9])(?:\.(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9]))*|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?$/;

/**
 * Parses an image name by the rules of `docker`: the first part is a registry when it has a dot or a colon or is
 * `localhost`, else the registry is `docker.io` and one-part names live under `library/`. Without a tag or a digest the
 * tag is `latest`.
 * @throws LadingError INVALID_VALUE
 */
export function parseReference(text: string): Reference {
  let rest = text;
  let digest: Digest | undefined;
  const at = rest.indexOf('@');
  if (at >= 0) {
    const digestText = rest.slice(at + 1);
    if (!isDigest(digestText)) throw invalid(text, `${JSON.stringify(digestText)} is not a digest`);
    digest = digestText;
    rest = rest.slice(0, at);
  }
  let registry = 'docker.io';
  const slash = rest.indexOf('/');
  const first = slash < 0 ? '' : rest.slice(0, slash);
  if (slash >= 0 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase())) {
    registry = first;
    rest = rest.slice(slash + 1);
    if (!registryPattern.test(registry)) throw invalid(text, `${JSON.stringify(registry)} is not a registry host`);
  }
  let tag: string | undefined;
  const colon = rest.lastIndexOf(':');
  if (colon >= 0) {
    tag = rest.slice(colon + 1);
    rest = rest.slice(0, colon);
    if (!tagPattern.test(tag)) throw invalid(text, `${JSON.stringify(tag)} is not a tag`);
  }
  if (/^[0-9a-f]{64}$/.test(rest)) throw invalid(text, 'a repository name cannot be 64 hexadecimal digits');
  const bad = rest.split('/').find(component => !pathComponent.test(component));
  if (bad !== undefined) {
    const problem = /[A-Z]/.test(rest)
      ? 'repository names must be lowercase'
      : `${JSON.stringify(bad)} is not a name component`;
    throw invalid(text, problem);
  }
  if (registry === 'index.docker.io') registry = 'docker.io';
  if (registry === 'docker.io' && !rest.includes('/')) rest = `library/${rest}`;
  if (registry.length + rest.length + 1 > 255) throw invalid(text, 'the name is longer than 255 characters');
  if (tag === undefined && digest === undefined) tag = 'latest';
  return {
    registry,
    repository: rest,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** The whole name, nothing left out: `docker.io/library/debian:12`. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${reference.registry}/${reference.repository}${tag}${digest}`;
}

/** The name as people write it: `debian:12` for `docker.io/library/debian:12`. */
export function familiarName(reference: Reference): string {
  const full = formatReference(reference);
  return full.replace(/^docker\.io\/(?:library\/(?=[^/]+$))?/, '');
}

/** What identifies the image inside its repository: the digest when there is one, else the tag. */
export function referenceIdentifier(reference: Reference): string {
  return reference.digest ?? reference.tag ?? 'latest';
}

function invalid(text: string, problem: string): LadingError {
  return new LadingError(
    'INVALID_VALUE',
    `invalid reference format: ${JSON.stringify(text.slice(0, 300))}: ${problem}`,
    {
      details: { what: 'reference', value: text.slice(0, 300) },
      hint: 'An image name is [REGISTRY[:PORT]/]REPOSITORY[:TAG][@DIGEST], for example debian:12 or ghcr.io/owner/app:1.0.',
    },
  );
}
