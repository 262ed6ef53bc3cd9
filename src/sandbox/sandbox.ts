/**
 * Running a process in a root file system. One implementation for each degree of privilege; a build is given the one to
 * use. This folder knows nothing of Dockerfiles, trees or stores: it is handed directories, and says how a process ended.
 */
import { LadingError, type SourceRange } from '../errors/errors.js';
import type { Platform } from '../oci/platform.js';

/** What a process sees as `/`, in terms of folders of this machine. */
export type RootFileSystem =
  /** A folder that is the root; what the process changes is changed in it. */
  | { readonly kind: 'directory'; readonly path: string }
  /**
   * Folders on one another, topmost first; what the process changes goes into `upper`. `work` is empty and on the same
   * disk; it belongs to one run. To be mounted without `redirect_dir`, `metacopy` and `index`: upper folders are read as layers, and become lower ones.
   * `lasting`: what the process says is to be on the disk is to be there. Else that costs it nothing, and its end does not wait
   * for all that was ever written to that disk.
   */
  | {
      readonly kind: 'overlay';
      readonly lower: readonly string[];
      readonly upper: string;
      readonly work: string;
      readonly lasting: boolean;
    };

/** A file, folder or empty file system that the process sees at a place of its own; nothing of it is in a layer. */
export type SandboxMount =
  | {
      readonly type: 'bind';
      /** Absolute, on this machine: a folder, a file or a socket. */
      readonly source: string;
      /** Absolute, inside the root; made where it is missing. */
      readonly target: string;
      readonly readOnly: boolean;
    }
  | {
      readonly type: 'tmpfs';
      readonly target: string;
      /** Absent is unlimited. */
      readonly sizeBytes?: number | undefined;
      /** Of the folder that it is, which is root's; absent is 1777. */
      readonly mode?: number | undefined;
      readonly readOnly: boolean;
    };

/** `name=soft:hard` of `ulimit`; -1 is unlimited. */
export interface ResourceLimit {
  readonly name: string;
  readonly soft: number;
  readonly hard: number;
}

/** Whom the process runs as: numbers, looked up in the root's accounts by whoever asks for the run. */
export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups, exactly as the process is to have them: Docker's have `gid` among them. */
  readonly groups: readonly number[];
}

/**
 * `default` and `host`: that of this machine. `none`: a loopback and nothing else. The others are a network of its own that
 * reaches outside through a program without privilege: `pasta`, `slirp4netns`, or with `bridge` whichever is there.
 */
export const processNetworks = ['default', 'none', 'host', 'bridge', 'pasta', 'slirp4netns'] as const;
export type ProcessNetwork = (typeof processNetworks)[number];

/** A port of a process that can be reached at one of this machine. */
export interface PublishedPort {
  /** Of this machine: one of IPv4 or IPv6, without brackets. */
  readonly address: string;
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: 'tcp' | 'udp';
}

/** What executes programs of another processor. */
export interface Emulator {
  /** Of this machine; it needs no libraries. */
  readonly path: string;
  /** What tells the kernel which programs these are: a line for `register` of binfmt_misc up to the name of the emulator. */
  readonly pattern: string;
}

export interface RunRequest {
  readonly root: RootFileSystem;
  /** Never empty. The program is looked for in the root, along the PATH of `env`. */
  readonly argv: readonly string[];
  /** `NAME=value`, complete: nothing is inherited from the builder. Values may be secret. */
  readonly env: readonly string[];
  /** Absolute, inside the root; made where it is missing. */
  readonly cwd: string;
  readonly user: ProcessUser;
  readonly hostname: string;
  /** `/etc/hostname` says that name, too, where mounts can be made; without it, it is a file of the root like any other. */
  readonly hostnameFile?: boolean | undefined;
  /** What the programs of the root are made for; absent is this machine. */
  readonly platform?: Platform | undefined;
  /** Only for sandboxes with `emulation`. */
  readonly emulator?: Emulator | undefined;
  readonly network: ProcessNetwork;
  /** Only of a process with a network of its own that reaches outside. */
  readonly ports?: readonly PublishedPort[] | undefined;
  /** Lines for `/etc/hosts`, beside those of the process itself. */
  readonly extraHosts: ReadonlyArray<{ readonly host: string; readonly address: string }>;
  /** In the order in which they are to be made. */
  readonly mounts: readonly SandboxMount[];
  /** Of `/dev/shm`; absent is 64 MiB. */
  readonly shmSizeBytes?: number | undefined;
  readonly limits: readonly ResourceLimit[];
  /** `insecure`: with all capabilities that the tier has (`RUN --security=insecure`). */
  readonly security: 'sandbox' | 'insecure';
  /**
   * Whom a file of the root belongs to before the run, by path inside the root without a leading `/`. Asked by tiers that
   * record owners, to follow a file that is moved; without it such a file is reported as uncertain.
   */
  readonly ownerBefore?: ((path: string) => FileOwner | undefined) | undefined;
  /** The root is not to be changed, but for mounts. */
  readonly readOnly?: boolean | undefined;
  /** `none`: nothing to read. `inherit`: the builder's own three streams, a terminal among them; `onOutput` is then not called. */
  readonly input: 'none' | 'inherit';
  /** Whole, in order, as it is written; never clipped. Nothing more of the stream is read until a promise is kept. */
  readonly onOutput: (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void | Promise<void>;
  /**
   * Before the process begins: the number, as the builder counts, of what everything in the sandbox ends with. Once it has
   * ended nobody changes the root any more, also when the builder was killed.
   */
  readonly onStarted?: ((pid: number) => Promise<void>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

export interface RunResult {
  /** Exit status, or 128 and the number of the signal. */
  readonly exitCode: number;
  /** By its name (`SIGKILL`), when one ended the process. */
  readonly killedBy?: string | undefined;
  /**
   * Of tiers that cannot give files away: the owners that the process has given to files, by path inside the root without
   * a leading `/` (of a file that is still there, under the name that it has at the end).
   */
  readonly owners?: ReadonlyMap<string, FileOwner> | undefined;
  /** Paths whose owner could not be followed. */
  readonly uncertain?: readonly string[] | undefined;
}

/** A RUN that a build reaches. */
export interface CheckedInstruction {
  readonly title: string;
  readonly range: SourceRange;
  /** What its programs are made for; absent is this machine. */
  readonly platform?: Platform | undefined;
}

/**
 * A way of running processes. It leaves nothing: when `run` is done, well or not, no process of it lives, nothing is
 * mounted, and what it had to put into the root for its own use (mount points, `/etc/resolv.conf`) is as it was before.
 */
export interface Sandbox {
  /** Which tier this is: `namespaces`, `chroot`, `proot`, `oci` … */
  readonly tier: string;
  /** The kinds of root it can run in; `overlay` comes first where it can be had. */
  readonly roots: 'overlay' | 'directory';
  /** `recorded`: all files on the disk belong to whoever runs the builder, and `run` reports what they should belong to. */
  readonly owners: 'kept' | 'recorded';
  /**
   * How it can use an emulator that is not registered, for its own processes alone: by telling the kernel of it where that
   * can be done, or by starting it itself. Absent: not at all.
   */
  readonly emulation?: 'registered' | 'started' | undefined;
  /**
   * Asked for every RUN that a build reaches, before anything is built.
   * @throws LadingError RUN_UNAVAILABLE naming the line and what is missing
   */
  check(instruction: CheckedInstruction): Promise<void>;
  /**
   * Says that a `run` without input comes soon, so that it can be made ready for while the root is: it may take what was made
   * ready, or leave it. @returns what gives up what has not been taken
   */
  expect?(): () => Promise<void>;
  /**
   * Runs one process to its end.
   * @throws LadingError RUN_UNAVAILABLE when it cannot be started for want of something on this machine; the reason of
   *   `signal` when that was given
   */
  run(request: RunRequest): Promise<RunResult>;
}

/** That a process cannot be started for want of something; whoever asked for it knows the line. */
export function runUnavailable(missing: string, { hint }: { readonly hint?: string | undefined } = {}): LadingError {
  const start = { line: 1, column: 1 };
  return new LadingError('RUN_UNAVAILABLE', missing, {
    details: { range: { file: 'RUN', start, end: start }, missing },
    hint,
  });
}

/** The sandbox of hosts where nothing can be executed: it refuses, saying what is missing. */
export function refusingSandbox(missing: string, remedy?: string): Sandbox {
  const way =
    'Build the stages without RUN (--target), or take the files that RUN would make from another image with COPY --from.';
  const refuse = (title: string, range: SourceRange): LadingError =>
    new LadingError('RUN_UNAVAILABLE', `${title}: RUN cannot be executed here: ${missing}`, {
      details: { range, missing },
      hint: remedy === undefined ? way : `To change that: ${remedy}. ${way}`,
    });
  return {
    tier: 'none',
    roots: 'directory',
    owners: 'kept',
    check: async ({ title, range }) => {
      throw refuse(title, range);
    },
    run: async request => {
      const start = { line: 1, column: 1 };
      throw refuse(request.argv.join(' '), { file: 'RUN', start, end: start });
    },
  };
}
