/**
 * Dockerfile text to syntax tree and diagnostics. This folder knows the language, and nothing of files, images or
 * builds: values stay as written, and whoever uses them expands them.
 *
 * Messages are those of BuildKit, so that what people find about them elsewhere fits; hints are ours.
 */
import type { LadingError, SourceRange } from '../errors/errors.js';
import type { Diagnostic, DockerfileAst, Instruction } from './ast.js';
import { detectCheck, detectSyntax, isDockerfileFrontend, readDirectives } from './directives.js';
import { dockerfileError } from './excerpt.js';
import { heredocsOf, readHeredocBody } from './heredoc.js';
import { parseInstruction } from './instructions/instruction.js';
import type { EscapeCharacter } from './lex-word.js';
import { type LineReader, type LogicalLine, maxLineBytes, openLines, rangeOfLines, readLogicalLine } from './lines.js';
import { printable } from './printable.js';
import { Problem } from './problem.js';
import { parseStatement, type Statement, takesHeredocs } from './statement.js';

export interface ParseOptions {
  /** Name of the file in ranges. Default `Dockerfile`. */
  readonly file?: string | undefined;
  /** Frontend that is asked for from outside (`BUILDKIT_SYNTAX`): stands for the one that the file names. */
  readonly syntax?: string | undefined;
}

export interface ParsedDockerfile {
  /** Without the instructions that have an error. */
  readonly ast: DockerfileAst;
  /** In order of their places. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads any text; what is wrong with it is in the diagnostics. Never throws. */
export function parseDockerfile(text: string, options: ParseOptions = {}): ParsedDockerfile {
  const reader = openLines(text, options.file ?? 'Dockerfile');
  const diagnostics: Diagnostic[] = [];
  const report = (range: SourceRange, message: string, hint?: string) => {
    diagnostics.push({ rule: 'syntax', severity: 'error', message, range, hint });
  };

  const { directives, problems } = readDirectives(reader);
  for (const { line, message, hint } of problems) {
    report(rangeOfLines(reader, line, line), printable(message, 400), hint);
  }
  const requested = detectSyntax(text);
  const syntax = options.syntax ?? requested?.reference;
  if (syntax !== undefined && !isDockerfileFrontend(syntax)) {
    const line = options.syntax === undefined ? requested!.line : 1;
    report(rangeOfLines(reader, line, line), printable(`unknown frontend: ${syntax}`, 400), unknownFrontendHint);
  }

  const instructions: Instruction[] = [];
  const order: StageOrder = { sawFrom: false, misplaced: false };
  let line = readLogicalLine(reader, directives.escape);
  for (; line !== undefined; line = readLogicalLine(reader, directives.escape)) {
    const { instruction, problem, range, isFrom } = readInstruction(reader, line, directives.escape);
    if (line.emptyContinuation !== undefined) diagnostics.push(emptyContinuation(reader, line));
    if (problem !== undefined) report(range, problem.message, problem.hint);
    order.sawFrom ||= isFrom;
    if (instruction === undefined) continue;
    instructions.push(instruction);
    if (!order.sawFrom && !order.misplaced && instruction.kind !== 'ARG') {
      order.misplaced = true;
      report(range, 'no build stage in current context', 'Start with FROM; only ARG may stand before it.');
    }
  }

  reportFile(text, reader, order, diagnostics.length === 0 && instructions.length === 0, report);
  const ast: DockerfileAst = {
    file: reader.file,
    directives: { ...directives, syntax, check: directives.check ?? detectCheck(text)?.value },
    instructions,
  };
  return { ast, diagnostics: sortByPlace(diagnostics) };
}

/**
 * The instruction of an ONBUILD trigger as an image carries it; the escape character is `\`, whatever the file had
 * that it came from.
 *
 * @throws LadingError DOCKERFILE_SYNTAX
 */
export function parseOnbuildTrigger(trigger: string, file = 'ONBUILD'): Instruction {
  const reader = openLines(trigger, file);
  const fail = (message: string): LadingError<'DOCKERFILE_SYNTAX'> =>
    dockerfileError(trigger, { rule: 'syntax', severity: 'error', message, range: rangeOfLines(reader, 1, 1) });
  if (reader.tooLong !== undefined) throw fail(tooLongMessage);
  const line = readLogicalLine(reader, '\\');
  if (line === undefined) throw fail('onbuild trigger should be a single expression');
  const { instruction, problem } = readInstruction(reader, line, '\\');
  if (instruction === undefined) throw fail(problem!.message);
  if (readLogicalLine(reader, '\\') !== undefined) throw fail('onbuild trigger should be a single expression');
  if (instruction.kind === 'FROM') throw fail("FROM isn't allowed as an ONBUILD trigger");
  return instruction;
}

const unknownFrontendHint =
  'Only the language of docker/dockerfile is understood: remove the syntax line, or name that.';

interface StageOrder {
  sawFrom: boolean;
  /** An instruction before the first FROM was reported. */
  misplaced: boolean;
}

interface ReadInstruction {
  readonly instruction?: Instruction | undefined;
  readonly problem?: Problem | undefined;
  readonly range: SourceRange;
  readonly isFrom: boolean;
}

/** Reads the here-documents behind a line too, so that the next instruction starts where it should. */
function readInstruction(reader: LineReader, line: LogicalLine, escapeChar: EscapeCharacter): ReadInstruction {
  let statement: Statement | undefined;
  try {
    statement = parseStatement(line.text, escapeChar);
    const starts = takesHeredocs(statement) ? heredocsOf(line.text) : [];
    const heredocs = starts.map(start => readHeredocBody(reader, start));
    const range = rangeOfLines(reader, line.start, reader.next);
    const instruction = parseInstruction(statement, { range, heredocs, comments: line.comments });
    return { instruction, range, isFrom: statement.name === 'FROM' };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const range = rangeOfLines(reader, line.start, reader.next);
    return { problem: error, range, isFrom: statement?.name === 'FROM' };
  }
}

const tooLongMessage = `dockerfile line greater than max allowed size of ${maxLineBytes}`;

/** What can only be said of the file as a whole. */
function reportFile(
  text: string,
  reader: LineReader,
  order: StageOrder,
  isEmpty: boolean,
  report: (range: SourceRange, message: string, hint?: string) => void,
): void {
  const last = Math.max(1, reader.lines.length);
  const end = rangeOfLines(reader, last, last);
  if (reader.tooLong !== undefined) {
    // The place is the last line that could be read, as in BuildKit: the excerpt could not show the other one.
    report(end, tooLongMessage, `Cut line ${reader.tooLong} into several.`);
  } else if (text === '') {
    report(end, 'the Dockerfile cannot be empty', 'Start with FROM.');
  } else if (isEmpty) {
    report(end, 'file with no instructions', 'Start with FROM.');
  } else if (!order.sawFrom && !order.misplaced) {
    report(end, 'dockerfile contains no stages to build', 'Add a FROM instruction.');
  }
}

function emptyContinuation(reader: LineReader, line: LogicalLine): Diagnostic {
  return {
    rule: 'NoEmptyContinuation',
    severity: 'warning',
    message: 'Empty continuation line',
    range: rangeOfLines(reader, line.end, line.end),
    hint: `Remove the empty line ${line.emptyContinuation}, or put a # on it.`,
  };
}

function sortByPlace(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics.toSorted(
    ({ range: { start: a } }, { range: { start: b } }) => a.line - b.line || a.column - b.column,
  );
}
