import type { SourceRange } from '../errors/errors.js';

/** What all instructions share. Values are as written: nothing is expanded, quotes are kept. */
interface Node<K extends string> {
  readonly kind: K;
  /** From the first character of the keyword to the end of the last line, heredoc bodies included. */
  readonly range: SourceRange;
  /** Physical lines of the instruction joined, continuations taken out, heredoc bodies not included: BuildKit's `Original`. */
  readonly original: string;
  /** The keyword as written. */
  readonly keyword: string;
  /** Flags as written, quotes and escapes processed: `--from=build`. */
  readonly flags: readonly string[];
  /** The words of BuildKit's tree, for `formatAst`. */
  readonly words: readonly string[];
  /** Whether the arguments were a JSON array. */
  readonly json: boolean;
  readonly heredocs: readonly Heredoc[];
  /** Comment lines directly above, text after `#`, trimmed. */
  readonly comments: readonly string[];
}

/** A here-document (`<<EOF`) of RUN, COPY or ADD. */
export interface Heredoc {
  readonly name: string;
  readonly fileDescriptor: number;
  /** Whether variables in the body are expanded: the name had no quote. */
  readonly expand: boolean;
  /** `<<-`: leading tabs of each line go when the body is used. */
  readonly chomp: boolean;
  /** Body as written, without the terminator line. */
  readonly content: string;
}

export type CommandLine =
  | { readonly form: 'shell'; readonly text: string }
  | { readonly form: 'exec'; readonly argv: readonly string[] };

export interface KeyValue {
  readonly key: string;
  readonly value: string;
  /** Written the old way, `ENV key value`. */
  readonly legacy: boolean;
}

export interface CopyArguments {
  /** Sources in order, heredocs not among them. */
  readonly sources: readonly string[];
  readonly destination: string;
  readonly chown?: string | undefined;
  readonly chmod?: string | undefined;
  readonly link: boolean;
  readonly exclude: readonly string[];
}

export interface FromInstruction extends Node<'FROM'> {
  readonly image: string;
  readonly platform?: string | undefined;
  /** Lower-cased. */
  readonly stageName?: string | undefined;
  /** As written. */
  readonly stageNameWritten?: string | undefined;
  readonly asKeyword?: string | undefined;
}
export interface CopyInstruction extends Node<'COPY'>, CopyArguments {
  readonly from?: string | undefined;
  readonly parents: boolean;
}
export interface AddInstruction extends Node<'ADD'>, CopyArguments {
  readonly keepGitDir?: boolean | undefined;
  readonly checksum?: string | undefined;
  readonly unpack?: boolean | undefined;
}
export interface RunInstruction extends Node<'RUN'> {
  readonly command: CommandLine;
  /** Values of `--mount`, unexpanded. */
  readonly mounts: readonly string[];
  readonly network?: string | undefined;
  readonly security?: string | undefined;
  readonly devices: readonly string[];
}
export interface PairsInstruction extends Node<'ENV' | 'LABEL'> {
  readonly pairs: readonly KeyValue[];
}
export interface ArgInstruction extends Node<'ARG'> {
  readonly args: ReadonlyArray<{ readonly name: string; readonly default?: string | undefined }>;
}
export interface CommandInstruction extends Node<'CMD' | 'ENTRYPOINT'> {
  readonly command: CommandLine;
}
export interface ShellInstruction extends Node<'SHELL'> {
  readonly shell: readonly string[];
}
export interface ValueInstruction extends Node<'USER' | 'WORKDIR' | 'STOPSIGNAL' | 'MAINTAINER'> {
  readonly value: string;
}
export interface ValuesInstruction extends Node<'EXPOSE' | 'VOLUME'> {
  readonly values: readonly string[];
}
export interface HealthcheckInstruction extends Node<'HEALTHCHECK'> {
  /** Durations in nanoseconds. */
  readonly check:
    | { readonly type: 'none' }
    | {
        readonly type: 'cmd';
        readonly command: CommandLine;
        readonly interval?: number | undefined;
        readonly timeout?: number | undefined;
        readonly startPeriod?: number | undefined;
        readonly startInterval?: number | undefined;
        readonly retries?: number | undefined;
      };
}
export interface OnbuildInstruction extends Node<'ONBUILD'> {
  /** The trigger as it goes into the image, heredoc bodies attached again. */
  readonly trigger: string;
  readonly instruction: Instruction;
}

/** One instruction, typed by its keyword. */
export type Instruction =
  | FromInstruction
  | RunInstruction
  | CopyInstruction
  | AddInstruction
  | PairsInstruction
  | ArgInstruction
  | CommandInstruction
  | ShellInstruction
  | ValueInstruction
  | ValuesInstruction
  | HealthcheckInstruction
  | OnbuildInstruction;

export interface Directives {
  readonly syntax?: string | undefined;
  readonly escape: '\\' | '`';
  readonly check?: string | undefined;
}

export interface DockerfileAst {
  readonly file: string;
  readonly directives: Directives;
  readonly instructions: readonly Instruction[];
}

/** Something to say about the text, with its place. An `error` means that the file cannot be built. */
export interface Diagnostic {
  /** `syntax` for what the language refuses, else the name of a lint rule. */
  readonly rule: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly range: SourceRange;
  /** What to write instead. */
  readonly hint?: string | undefined;
}
