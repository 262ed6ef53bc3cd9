import type { ArgumentsCamelCase, InferredOptionTypes, Options, PositionalOptions } from 'yargs';
import type { CliContext } from './context.js';
import type { GlobalArguments } from './global-options.js';

/** An option or argument that people bring from other tools and that means nothing here. */
export interface UnsupportedOption {
  /** Whether a value follows, so that it is not taken for an argument. */
  readonly value: boolean;
  /** Values that ask for what happens anyway; `true` and `false` for an option without a value. By default none does. */
  readonly accepts?: ((value: string) => boolean) | undefined;
  /** Why not. */
  readonly reason: string;
  /** What to do instead. */
  readonly instead: string;
}

export type OptionTable = Readonly<Record<string, Options>>;
export type PositionalTable = Readonly<Record<string, PositionalOptions>>;

export interface Example {
  readonly line: string;
  readonly does: string;
}

/** One command: what it takes, as data, and what it does. */
export interface Command {
  readonly positionals: PositionalTable;
  readonly options: OptionTable;
  readonly unsupported: Readonly<Record<string, UnsupportedOption>>;
  readonly examples: readonly Example[];
  /** How many words are its own, with all options before the last of them; the rest is for another program. */
  readonly ownWords?: number | undefined;
  /** Throws what failed; returning is success, unless with another exit code. */
  run(args: GlobalArguments & Record<string, unknown>, context: CliContext): Promise<number | undefined>;
}

export interface CommandDefinition<P extends PositionalTable, O extends OptionTable> {
  readonly positionals?: P;
  readonly options?: O;
  readonly unsupported?: Readonly<Record<string, UnsupportedOption>>;
  readonly examples: readonly Example[];
  readonly ownWords?: number | undefined;
  run(
    args: GlobalArguments & ArgumentsCamelCase<InferredOptionTypes<P> & InferredOptionTypes<O>>,
    context: CliContext,
  ): Promise<number | undefined>;
}

/** Keeps the types of arguments and options together with what uses them. */
export function defineCommand<const P extends PositionalTable, const O extends OptionTable>(
  definition: CommandDefinition<P, O>,
): Command {
  const { positionals, options, unsupported, examples, ownWords, run } = definition;
  return {
    positionals: positionals ?? {},
    options: options ?? {},
    unsupported: unsupported ?? {},
    examples,
    ownWords,
    run: run as Command['run'],
  };
}
