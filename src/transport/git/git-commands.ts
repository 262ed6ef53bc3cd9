import { LadingError } from '../../errors/errors.js';
import { redactUserinfo } from '../../errors/redact.js';
import type { CallOptions } from '../../stream/bytes.js';
import { type GitEnvironmentOptions, gitEnvironment } from './git-environment.js';
import { gitFailure, repositoryError } from './git-failure.js';
import { type GitProcessOptions, type GitResult, runGit } from './git-process.js';

/** Where the files of a repository are kept, and where those of its commit. */
export interface GitPlace {
  readonly gitDir: string;
  readonly workTree: string;
}

export interface GitCommandsOptions extends GitEnvironmentOptions, CallOptions {
  /** Without secrets. */
  readonly remote: string;
  /** Bytes that may be received at a time. */
  readonly receiveLimit: number;
  /** Told of bytes that have been received. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

/** How long a server may be silent, in ms. */
const silenceLimitMs = 300_000;

/** Runs commands that are about one repository. */
export class GitCommands {
  readonly remote: string;
  /** As it is shown to people. */
  readonly repository: string;
  readonly #options: GitCommandsOptions;
  readonly #env: Readonly<Record<string, string>>;

  constructor(options: GitCommandsOptions) {
    this.remote = options.remote;
    this.repository = redactUserinfo(options.remote);
    this.#options = options;
    this.#env = gitEnvironment(options);
  }

  /** @throws LadingError GIT_REPOSITORY when git does not succeed, and as {@link runGit} */
  async run(args: readonly string[], options?: Pick<GitProcessOptions, 'onOutput'>): Promise<Buffer> {
    return this.succeeded(await this.attempt(args, options));
  }

  /** As it ends, whatever the status. */
  async attempt(args: readonly string[], options: Pick<GitProcessOptions, 'onOutput'> = {}): Promise<GitResult> {
    return await runGit(args, { ...options, ...this.#process() });
  }

  /** For commands that speak to a server. */
  async ask(args: readonly string[]): Promise<GitResult> {
    const { onProgress, receiveLimit } = this.#options;
    const received = receivedBytes();
    const failure = () =>
      repositoryError(this.repository, 'the server is silent', { hint: 'Try again when it answers.' });
    return await runGit(args, {
      ...this.#process(),
      silence: { limitMs: silenceLimitMs, failure },
      onMessage: text => {
        const bytes = received(text);
        if (bytes === undefined) return;
        if (bytes > receiveLimit) throw this.#tooLarge();
        onProgress?.(bytes);
      },
    });
  }

  succeeded({ status, stdout, messages }: GitResult, ref?: string): Buffer {
    if (status === 0) return stdout;
    throw gitFailure(this.repository, messages, ref);
  }

  #tooLarge(): LadingError {
    const limit = this.#options.receiveLimit;
    return new LadingError('SIZE_EXCEEDED', `${this.repository} is larger than ${limit} bytes`, {
      details: { what: 'bytes of a Git repository', limit },
    });
  }

  #process(): Pick<GitProcessOptions, 'env' | 'directory' | 'signal'> {
    return { env: this.#env, directory: this.#options.home, signal: this.#options.signal };
  }
}

/** The arguments that say where a command is at work. */
export function at({ gitDir, workTree }: GitPlace): string[] {
  return ['--git-dir', gitDir, '--work-tree', workTree];
}

/** Reads the number of bytes out of the lines with which git tells how far it is. */
function receivedBytes(): (text: string) => number | undefined {
  const units = { bytes: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;
  return text => {
    const found = [...text.matchAll(/Receiving objects: .{0,60}?, ([\d.]{1,12}) (bytes|KiB|MiB|GiB)/g)].at(-1);
    return found === undefined ? undefined : Math.round(Number(found[1]) * units[found[2] as keyof typeof units]);
  };
}
