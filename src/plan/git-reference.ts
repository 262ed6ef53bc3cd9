import { cleanPathText } from '../dockerfile/go-text.js';
import { LadingError } from '../errors/errors.js';
import { redactUserinfo } from '../errors/redact.js';
import { type GitQuery, readGitQuery } from './git-query.js';
import { invalidValue } from './refusal.js';

/** A Git repository and what of it is wanted. */
export interface GitReference {
  /** What `git` is given: no query, no fragment. Over http(s) it may hold a user and a password. */
  readonly remote: string;
  readonly transport: 'https' | 'http' | 'git' | 'ssh';
  /** A branch, a tag, another ref or a full commit id. Absent: the default branch. */
  readonly ref?: string | undefined;
  /** Hexadecimal digits that the id of the commit, or of its annotated tag, begins with. */
  readonly checksum?: string | undefined;
  /** Folder inside the repository, clean and without a slash at either end. Absent: all of it. */
  readonly subdirectory?: string | undefined;
  /** @default false */
  readonly keepGitDir?: boolean | undefined;
  /** @default true */
  readonly submodules?: boolean | undefined;
  /** The checksum is the commit to fetch: the ref is not asked for, and only names it. */
  readonly fetchByCommit?: boolean | undefined;
}

/** What `ADD` says of a repository besides its address. */
export interface GitFlags {
  readonly checksum?: string | undefined;
  readonly keepGitDir?: boolean | undefined;
}

/** An address taken apart; nothing is decided yet. */
interface Parts {
  readonly transport: GitReference['transport'];
  readonly remote: string;
  /** User, host and port; or user and host. */
  readonly authority: string;
  readonly path: string;
  readonly query: string;
  readonly fragment: string;
}

const urlForm = /^([a-z0-9]+):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/is;
const scpForm = /^([a-z0-9_-]+@[a-z0-9.-]+):([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/is;

/** Whether a word means a repository, right or wrong: a web address does when its path ends in `.git`. */
export function isGitReference(text: string): boolean {
  return partsOf(text) !== undefined;
}

/** Whether a build context means one; there `github.com/owner/name` does as well, where no folder is called so. */
export function isGitContext(text: string): boolean {
  return isGitHubShorthand(text) || isGitReference(text);
}

/**
 * Reads a repository as ADD names it: `https://host/name.git#ref:folder`, `git://…`, `ssh://…` or `user@host:path`, each
 * with BuildKit's query (`?tag=…&subdir=…`). `undefined` for what is none.
 * @throws LadingError INVALID_VALUE, DIGEST_MISMATCH for a checksum that the very commit it names does not have
 */
export function parseGitReference(text: string, flags: GitFlags = {}): GitReference | undefined {
  const parts = partsOf(text);
  return parts === undefined ? undefined : referenceOf(parts, flags);
}

/** As {@link parseGitReference}, for contexts. */
export function parseGitContext(text: string, flags: GitFlags = {}): GitReference | undefined {
  const parts = isGitHubShorthand(text) ? urlParts(`https://${text}`) : partsOf(text);
  return parts === undefined ? undefined : referenceOf(parts, flags);
}

/** As it may be shown: without a password. */
export function formatGitReference({ remote, ref, subdirectory }: GitReference): string {
  const fragment = subdirectory === undefined ? (ref ?? '') : `${ref ?? ''}:${subdirectory}`;
  return redactUserinfo(remote) + (fragment === '' ? '' : `#${fragment}`);
}

/** Whether it is the full id of an object, in SHA-1 or SHA-256. */
export function isCommitId(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

function isGitHubShorthand(text: string): boolean {
  return text.startsWith('github.com/');
}

function partsOf(text: string): Parts | undefined {
  const url = urlParts(text);
  if (url !== undefined) {
    return isWeb(url.transport) && !url.path.endsWith('.git') ? undefined : url;
  }
  const scp = scpForm.exec(text);
  if (scp === null) return undefined;
  const [, authority = '', path = '', query = '', fragment = ''] = scp;
  return { transport: 'ssh', remote: `${authority}:${path}`, authority, path, query, fragment };
}

function urlParts(text: string): Parts | undefined {
  const match = urlForm.exec(text);
  if (match === null) return undefined;
  const [, scheme = '', authority = '', path = '', query = '', fragment = ''] = match;
  const transport = scheme.toLowerCase();
  if (transport !== 'https' && transport !== 'http' && transport !== 'git' && transport !== 'ssh') return undefined;
  const remote = `${transport}://${authority}${path.replaceAll(' ', '%20')}`;
  return { transport, remote, authority, path, query, fragment: percentDecoded(fragment) };
}

function isWeb(transport: GitReference['transport']): boolean {
  return transport === 'http' || transport === 'https';
}

function referenceOf(parts: Parts, flags: GitFlags): GitReference {
  const { transport, remote } = parts;
  checkAddress(parts);
  const [ref, ...folder] = parts.fragment.split(':');
  const written = { ref: ref!, subdirectory: cleanFolder(folder.join(':')) };
  const query = readGitQuery(new URLSearchParams(parts.query), written, message => invalid(remote, message));
  const { keepGitDir, checksum } = withFlags(query, flags, remote);
  const reference = {
    remote,
    transport,
    ...(query.ref === '' ? {} : { ref: query.ref }),
    ...(checksum === undefined ? {} : { checksum }),
    ...(cleanFolder(query.subdirectory) === '' ? {} : { subdirectory: cleanFolder(query.subdirectory) }),
    ...(keepGitDir === undefined ? {} : { keepGitDir }),
    ...(query.submodules === undefined ? {} : { submodules: query.submodules }),
    ...(query.fetchByCommit ? { fetchByCommit: true } : {}),
  };
  checkReference(reference);
  return reference;
}

function withFlags(query: GitQuery, flags: GitFlags, remote: string): GitFlags {
  if (query.keepGitDir !== undefined && flags.keepGitDir !== undefined && query.keepGitDir !== flags.keepGitDir) {
    throw invalid(remote, 'inconsistent keep-git-dir configuration');
  }
  if (query.checksum !== undefined && flags.checksum !== undefined && query.checksum !== flags.checksum) {
    const both = `${JSON.stringify(flags.checksum)} != ${JSON.stringify(query.checksum)}`;
    throw invalid(remote, `checksum mismatch ${both}`);
  }
  return {
    keepGitDir: query.keepGitDir ?? flags.keepGitDir,
    checksum: (query.checksum ?? flags.checksum)?.toLowerCase(),
  };
}

/** Programs take what begins with a dash for an option, and lines have an end. */
function checkAddress({ transport, remote, authority }: Parts): void {
  if (/[\u0000-\u001f\u007f]/.test(remote)) throw invalid(remote, 'control characters in the address of a repository');
  const at = authority.lastIndexOf('@');
  const host = authority.slice(at + 1);
  if (host === '' || authority.startsWith('-') || host.startsWith('-')) {
    throw invalid(remote, 'the address of a repository needs the name of a host');
  }
  if (!isWeb(transport) && authority.slice(0, Math.max(at, 0)).includes(':')) {
    const hint = 'Leave the password out: SSH asks the agent for a key, and git:// knows no users.';
    throw invalid(remote, `${transport} takes no password from an address`, hint);
  }
}

function checkReference({ remote, ref, checksum, fetchByCommit }: GitReference): void {
  if (ref !== undefined && !isRefName(ref)) {
    throw invalid(
      remote,
      `invalid git ref ${JSON.stringify(ref)}`,
      'Name a branch, a tag, or a commit with all its digits.',
    );
  }
  if (checksum !== undefined && !/^[0-9a-f]+$/.test(checksum)) {
    const hint = 'Give the commit, or as many of its first digits as you like.';
    throw invalid(remote, `invalid checksum ${checksum} for Git URL, expected hex commit hash`, hint);
  }
  const named = ref !== undefined && isCommitId(ref) ? ref : undefined;
  if (named !== undefined && checksum !== undefined && !named.startsWith(checksum)) {
    throw new LadingError('DIGEST_MISMATCH', `expected checksum to match ${checksum}, got ${named}`, {
      details: { expected: checksum, actual: named },
      hint: 'The address names another commit than the checksum.',
    });
  }
  if (!fetchByCommit || named !== undefined) return;
  if (checksum === undefined) throw invalid(remote, 'fetch-by-commit requires a checksum or a commit SHA ref');
  if (!isCommitId(checksum)) {
    throw invalid(remote, `fetch-by-commit requires a full commit SHA checksum, got ${JSON.stringify(checksum)}`);
  }
}

/** What `git check-ref-format` takes, `main` alone as well: patterns, ranges and options are no names. */
function isRefName(name: string): boolean {
  if (/[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\//.test(name)) return false;
  if (/^[-/]|[./]$|^@$/.test(name)) return false;
  return name.split('/').every(part => !part.startsWith('.') && !part.endsWith('.lock'));
}

function cleanFolder(text: string): string {
  return cleanPathText(`/${text}`).slice(1);
}

/** What is no encoding stays as it is written, and is then no name of anything. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function invalid(
  remote: string,
  message: string,
  hint = 'Write https://HOST/NAME.git#REF:FOLDER, or the same as ?ref=REF&subdir=FOLDER.',
): LadingError {
  return invalidValue('Git URL', redactUserinfo(remote), message, hint);
}
