import { homedir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import type { CliContext, InputStream } from '../../cli/context.js';
import { main } from '../../cli/main.js';

export interface RunCliOptions {
  /** Relative paths start here, and the store is in its folder `store` unless the environment or `--root` says otherwise. */
  readonly cwd: string;
  /** The whole environment; nothing of the test's own is passed on. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** A text, or a stream such as a terminal. */
  readonly stdin?: string | Uint8Array | InputStream | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds since 1970; default the clock of the system. */
  readonly now?: (() => number) | undefined;
  /** What standard output and standard error are: pipes, or a terminal of so many columns. */
  readonly terminal?: { readonly columns: number } | undefined;
}

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output when it is no text. */
  readonly bytes: Uint8Array;
}

/** Runs one command in this process, with everything that it may touch made for it. */
export async function runCli(argv: readonly string[], options: RunCliOptions): Promise<CliResult> {
  const { cwd, terminal } = options;
  const interruption = new AbortController();
  const stdout = new Collector(terminal);
  const stderr = new Collector(terminal);
  const context: CliContext = {
    stdout,
    stderr,
    stdin: options.stdin instanceof Readable ? options.stdin : Readable.from(bytesOf(options.stdin)),
    env: { LADING_ROOT: join(cwd, 'store'), ...options.env },
    cwd,
    home: join(homedir(), 'nobody'),
    etc: join(cwd, 'etc'),
    arch: 'x64',
    runtime: { node: 'v20.0.0', system: 'linux' },
    startApart: argv =>
      void main(argv, { ...context, stdout: new Collector(undefined), stderr: new Collector(undefined) }),
    signal: options.signal === undefined ? interruption.signal : AbortSignal.any([options.signal, interruption.signal]),
    interrupt: () => interruption.abort(new DOMException('interrupted', 'AbortError')),
    now: options.now ?? Date.now,
  };
  const code = await main(argv, context);
  return { code, stdout: stdout.text, stderr: stderr.text, bytes: stdout.bytes };
}

/** As {@link runCli}, for what must succeed; gives standard output. */
export async function cli(argv: readonly string[], options: RunCliOptions): Promise<string> {
  const { code, stdout, stderr } = await runCli(argv, options);
  if (code !== 0) throw new Error(`lading ${argv.join(' ')} ended with ${code}:\n${stderr}`);
  return stdout;
}

function bytesOf(text: string | Uint8Array | undefined): Uint8Array[] {
  return text === undefined ? [] : [Buffer.from(text)];
}

class Collector extends Writable {
  readonly isTTY: boolean | undefined;
  readonly columns: number | undefined;
  readonly #chunks: Uint8Array[] = [];

  constructor(terminal: RunCliOptions['terminal']) {
    super();
    this.isTTY = terminal === undefined ? undefined : true;
    this.columns = terminal?.columns;
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    this.#chunks.push(chunk);
    done();
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}
