import type { Readable, Writable } from 'node:stream';

/** A stream that text is written to, and what is known of the terminal behind it. */
export type OutputStream = Writable & { readonly isTTY?: boolean | undefined; readonly columns?: number | undefined };

/** A stream that text is read from; a terminal can be told not to show it. */
export type InputStream = Readable & {
  readonly isTTY?: boolean | undefined;
  setRawMode?(raw: boolean): unknown;
};

/** Everything that a command may touch of the process it runs in. Only `bin.ts` makes one from the real thing. */
export interface CliContext {
  /** Results only. */
  readonly stdout: OutputStream;
  /** Progress, messages, errors. */
  readonly stderr: OutputStream;
  readonly stdin: InputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Home folder of the user. */
  readonly home: string;
  /** Where the machine's configuration is: `/etc`. */
  readonly etc: string;
  /** `process.arch`. */
  readonly arch: string;
  readonly runtime: { readonly node: string; readonly system: string };
  /** What starts this program again, with the same arguments; absent where it is no program of its own. */
  readonly again?: { readonly program: string; readonly args: readonly string[] } | undefined;
  /** Starts this program with other arguments, to go on by itself when this process has ended. */
  readonly startApart: (argv: readonly string[]) => void;
  readonly signal: AbortSignal;
  /** Aborts the signal, as Ctrl+C does; a terminal that is read key by key makes no signal of it. */
  readonly interrupt: () => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}
