/**
 * What can go wrong. Every failure that a caller can reach is a {@link LadingError} with a code from one table;
 * a broken invariant of our own stays a plain `Error`. This folder imports nothing.
 */

/** A place in a text file: 1-based line and column of the first and the last character concerned. */
export interface SourceRange {
  readonly file: string;
  readonly start: { readonly line: number; readonly column: number };
  readonly end: { readonly line: number; readonly column: number };
}

/** A range with the lines around it, as they are shown to people. */
export interface SourcePlace {
  readonly range: SourceRange;
  /** Further places in the same file that have a part in it. */
  readonly also?: readonly SourceRange[] | undefined;
  readonly excerpt?: string | undefined;
}

/** What each error code carries. Adding a failure means adding a row here first. */
export interface ErrorDetails {
  /** A value that is not of the form it must have: a digest, a reference, a platform, a date. */
  readonly INVALID_VALUE: { readonly what: string; readonly value: string };
  /** JSON or another document of an image that breaks its specification. */
  readonly INVALID_DOCUMENT: { readonly what: string; readonly digest?: string | undefined; readonly problem: string };
  /** The command line, or the options of a library call, are misused. */
  readonly USAGE: { readonly option?: string | undefined };
  /** A feature that is known and not supported here. */
  readonly UNSUPPORTED: { readonly feature: string; readonly range?: SourceRange | undefined };

  /** A Dockerfile that the language refuses. */
  readonly DOCKERFILE_SYNTAX: {
    readonly range: SourceRange;
    /** The lines around the fault, as they stand in the file. */
    readonly excerpt?: string | undefined;
    readonly expected?: string | undefined;
  };
  /** Lint rules found something, and the Dockerfile or the caller asks for that to be a failure. */
  readonly LINT_FAILED: { readonly rules: readonly string[] };
  readonly BAD_SUBSTITUTION: { readonly word: string };
  readonly STAGE_UNKNOWN: { readonly name: string; readonly known: readonly string[] };
  /** A COPY or ADD source that is not there. */
  readonly SOURCE_NOT_FOUND: {
    readonly pattern: string;
    readonly context: string;
    readonly ignoredBy?: string | undefined;
  };
  /** RUN was reached and no way to execute it is available. */
  readonly RUN_UNAVAILABLE: { readonly range: SourceRange; readonly missing: string };
  /** The command of a RUN ended with something else than 0. */
  readonly RUN_FAILED: {
    readonly range: SourceRange;
    readonly exitCode: number;
    /** By its name, when one ended the process. */
    readonly signal?: string | undefined;
    /** The last lines of what it has written. */
    readonly output: string;
    /** Way of running it: `namespaces`, `chroot` … */
    readonly tier: string;
  };
  /** Files that a RUN has given away belong to nobody knows whom, and the caller asks for that to be a failure. */
  readonly OWNERSHIP_UNCERTAIN: { readonly range: SourceRange; readonly paths: readonly string[] };
  /** A secret or an agent that a step needs and the build was not given. */
  readonly SECRET_NOT_FOUND: { readonly id: string; readonly kind: 'secret' | 'ssh' };

  readonly DIGEST_MISMATCH: { readonly expected: string; readonly actual: string };
  readonly SIZE_MISMATCH: { readonly digest: string; readonly expected: number; readonly actual: number };
  readonly SIZE_EXCEEDED: { readonly what: string; readonly limit: number };
  /** Compressed data that ends early or does not decode. */
  readonly CORRUPT_STREAM: { readonly what: string };
  /** A tar stream or entry that is malformed or dangerous. */
  readonly INVALID_ARCHIVE: { readonly entry?: string | undefined; readonly problem: string };
  /** A source file that changed while it was read. */
  readonly FILE_CHANGED: { readonly path: string };
  readonly PATH_NOT_FOUND: { readonly path: string };
  /** A path that is not of the kind that is needed, or a link loop. */
  readonly PATH_INVALID: { readonly path: string; readonly problem: string };

  /** A container that the store does not have, or too many that are meant. */
  readonly CONTAINER_NOT_FOUND: { readonly container: string };
  readonly BLOB_NOT_FOUND: { readonly digest: string };
  readonly REFERENCE_NOT_FOUND: { readonly reference: string };
  readonly PLATFORM_NOT_FOUND: { readonly wanted: string; readonly available: readonly string[] };
  readonly STORE_VERSION: { readonly path: string; readonly found: string; readonly supported: string };
  readonly STORE_LOCKED: { readonly path: string };
  /** The disk, or another part of the operating system, refused. `syscall` errors keep their code (ENOSPC, EACCES). */
  readonly IO: { readonly path?: string | undefined; readonly errno?: string | undefined };

  readonly REGISTRY_RESPONSE: {
    readonly status: number;
    readonly method: string;
    readonly url: string;
    readonly errors: ReadonlyArray<{ readonly code: string; readonly message: string }>;
  };
  readonly REGISTRY_UNREACHABLE: { readonly url: string };
  readonly REGISTRY_PROTOCOL: { readonly url: string; readonly problem: string };
  /** The network is needed, and the caller has ruled it out. */
  readonly OFFLINE: { readonly url: string };
  /** The deadline of the caller is over. */
  readonly TIMEOUT: { readonly ms: number };
  /** A file of settings forbids the registry. */
  readonly REGISTRY_BLOCKED: { readonly registry: string; readonly source: string };
  /** A file of the web that cannot be had. */
  readonly REMOTE_FILE: { readonly url: string; readonly status?: number | undefined };
  /** A Git repository, or a part of it, that cannot be had. The address has no secrets. */
  readonly GIT_REPOSITORY: { readonly repository: string; readonly ref?: string | undefined };
  /** A program that is needed for what is asked, and is not there. */
  readonly PROGRAM_MISSING: { readonly program: string };
  readonly AUTH_FAILED: { readonly registry: string; readonly status?: number | undefined };
  readonly CREDENTIALS: { readonly source: string };

  readonly IMAGE_INVALID: { readonly digest: string; readonly problems: readonly string[] };
}

export type ErrorCode = keyof ErrorDetails;

export interface LadingErrorOptions<C extends ErrorCode> {
  readonly details: ErrorDetails[C];
  /** One sentence that says what to do next. */
  readonly hint?: string | undefined;
  /** Where in a Dockerfile the failure comes from. */
  readonly place?: SourcePlace | undefined;
  readonly cause?: unknown;
}

const brand = Symbol.for('lading.error');

/** Every failure that a caller can reach. Messages, hints and details never carry a secret. */
export class LadingError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'LadingError';
  readonly code: C;
  readonly details: ErrorDetails[C];
  readonly hint: string | undefined;
  readonly place: SourcePlace | undefined;

  constructor(code: C, message: string, options: LadingErrorOptions<C>) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details;
    this.hint = options.hint;
    this.place = options.place;
  }

  get [brand](): true {
    return true;
  }
}

/** Works across duplicate copies of this package, and narrows `details` by `code`. */
export function isLadingError<C extends ErrorCode>(error: unknown, code: C): error is LadingError<C>;
export function isLadingError(error: unknown): error is LadingError;
export function isLadingError(error: unknown, code?: ErrorCode): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    brand in error &&
    (code === undefined || (error as LadingError).code === code)
  );
}

/** The same failure with the place in the Dockerfile that it comes from, unless it has one; other errors pass as they are. */
export function atPlace(error: unknown, place: SourcePlace): unknown {
  if (!isLadingError(error)) return error;
  const known = error.place;
  if (known?.excerpt !== undefined) return error;
  const { code, message, details, hint, cause } = error;
  const placed = known === undefined ? place : { ...known, excerpt: place.excerpt };
  return new LadingError(code, message, { details, hint, cause, place: placed });
}
