/**
 * Running a process in a root file system. One implementation for each degree of privilege; a build is given the one to
 * use. This folder knows nothing of Dockerfiles, trees or stores.
 */
import { LadingError, type SourceRange } from '../errors/errors.js';

/** A file system made visible to the process, and only to it. */
export interface SandboxMount {
  readonly type: 'bind' | 'tmpfs' | 'cache' | 'secret' | 'ssh';
  /** Absolute, inside the root. */
  readonly target: string;
  /** Absolute, on this machine. */
  readonly source?: string | undefined;
  readonly readOnly: boolean;
  readonly sizeBytes?: number | undefined;
}

export interface RunRequest {
  /** The root directory on this machine; the process sees it as `/` and may change it. */
  readonly root: string;
  readonly argv: readonly string[];
  /** `NAME=value`, complete: nothing is inherited from the builder. */
  readonly env: readonly string[];
  /** Absolute, inside the root. */
  readonly cwd: string;
  /** `user[:group]` by name or number. */
  readonly user: string;
  readonly hostname: string;
  readonly network: 'default' | 'none' | 'host';
  readonly mounts: readonly SandboxMount[];
  readonly onOutput: (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface RunResult {
  /** Exit status, or 128 and the number of the signal. */
  readonly exitCode: number;
}

export interface Sandbox {
  /** Which way of running processes this is; recorded where it can matter to a result. */
  readonly tier: string;
  /**
   * Asked for every RUN that a build reaches, before anything is built.
   * @throws LadingError RUN_UNAVAILABLE naming the line and what is missing
   */
  check(instruction: { readonly title: string; readonly range: SourceRange }): Promise<void>;
  run(request: RunRequest): Promise<RunResult>;
}

/** The sandbox of hosts where nothing can be executed: it refuses, saying what is missing. */
export function refusingSandbox(missing: string): Sandbox {
  const refuse = (title: string, range: SourceRange): LadingError =>
    new LadingError('RUN_UNAVAILABLE', `${title}: RUN cannot be executed here: ${missing}`, {
      details: { range, missing },
      hint: 'Build the stages without RUN (--target), or take the files that RUN would make from another image with COPY --from.',
    });
  return {
    tier: 'none',
    check: async ({ title, range }) => {
      throw refuse(title, range);
    },
    run: async request => {
      const start = { line: 1, column: 1 };
      throw refuse(request.argv.join(' '), { file: 'RUN', start, end: start });
    },
  };
}
