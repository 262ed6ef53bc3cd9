/** What is wanted of a repository. Whoever asks has made sure that no part of it can be taken for an option. */
export interface GitRequest {
  /** Address, without query and fragment; over http(s) it may hold a user and a password. */
  readonly remote: string;
  readonly transport: 'https' | 'http' | 'git' | 'ssh';
  /** A branch, a tag, another ref or a full commit id. Absent: the default branch. */
  readonly ref?: string | undefined;
  /** Lower-case hexadecimal digits that the id of the commit, or of its annotated tag, begins with. */
  readonly checksum?: string | undefined;
  /** Folder inside the repository, clean. Absent: all of it. */
  readonly subdirectory?: string | undefined;
  /** Of a whole repository; a part of one has no `.git`. */
  readonly keepGitDir?: boolean | undefined;
  /** @default true */
  readonly submodules?: boolean | undefined;
  /** The checksum is the commit to fetch, and the ref only a name for it. */
  readonly fetchByCommit?: boolean | undefined;
}

/** A commit, checked out. */
export interface GitCheckout {
  /** Folder with the files that were asked for; they stay until whoever gave the folder around it removes that. */
  readonly path: string;
  /** Full id. */
  readonly commit: string;
  /** When it was committed, in seconds since 1970. */
  readonly time: number;
}
