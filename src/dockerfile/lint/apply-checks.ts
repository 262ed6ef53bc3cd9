import { isLadingError, LadingError } from '../../errors/errors.js';
import type { Diagnostic, DockerfileAst } from '../ast.js';
import { type CheckOptions, parseCheckOptions } from '../check-options.js';
import type { Finding } from './finding.js';
import { isLintRule, lintRules } from './rules.js';

/**
 * What a file asks of the lint rules with `# check=` at its top, unless `override`, the build argument
 * BUILDKIT_DOCKERFILE_CHECK, is there: it stands for the whole of it.
 * @throws LadingError INVALID_VALUE
 */
export function checkOptionsOf(ast: DockerfileAst, override?: string): CheckOptions {
  return parseCheckOptions(override ?? ast.directives.check ?? '');
}

export interface CheckedFindings {
  /** Those to show, each once, in order of their lines. */
  readonly warnings: readonly Diagnostic[];
  /** With `error=true` and something to show: what the build fails with, once it is planned. */
  readonly failure?: LadingError<'LINT_FAILED'> | undefined;
}

/**
 * Takes out what `options` or a comment above the instruction skips, and experimental rules that nobody asks for. What
 * is not of a lint rule, as an error of the parser, is left out.
 */
export function applyChecks(findings: readonly Finding[], options: CheckOptions): CheckedFindings {
  const wanted = new Map<string, Diagnostic>();
  for (const { comments = [], ...diagnostic } of findings) {
    const { rule, message, range } = diagnostic;
    if (!isShown(rule, withComments(options, comments))) continue;
    const key = JSON.stringify([rule, message, range]);
    if (!wanted.has(key)) wanted.set(key, diagnostic);
  }
  const warnings = [...wanted.values()].sort((a, b) => a.range.start.line - b.range.start.line);
  const [first] = warnings;
  if (!options.error || first === undefined) return { warnings };
  const rules = [...new Set(warnings.map(({ rule }) => rule))].sort();
  const failure = new LadingError('LINT_FAILED', `lint violation found for rules: ${rules.join(', ')}`, {
    details: { rules },
    hint: 'Mend what the warnings say, or skip a rule with # check=skip=RULE.',
    place: { range: first.range },
  });
  return { warnings, failure };
}

function isShown(rule: string, { skip, experimental }: CheckOptions): boolean {
  if (!isLintRule(rule)) return false;
  return lintRules[rule].experimental ? names(experimental, rule) : !names(skip, rule);
}

function names(rules: CheckOptions['skip'], rule: string): boolean {
  return rules === 'all' || rules.includes(rule);
}

/** The first comment with `check=` adds to the options of the file; words after its value are free text. */
function withComments(options: CheckOptions, comments: readonly string[]): CheckOptions {
  for (const comment of comments) {
    const value = /^check[\t\n\f\r ]*=[\t\n\f\r ]*([^ ]+)/i.exec(comment)?.[1];
    if (value === undefined) continue;
    const own = readable(value);
    if (own === undefined) return options;
    const { skip, experimental } = options;
    return { ...options, skip: merged(skip, own.skip), experimental: merged(experimental, own.experimental) };
  }
  return options;
}

/** A comment that cannot be read is a comment. */
function readable(value: string): CheckOptions | undefined {
  try {
    return parseCheckOptions(value);
  } catch (error) {
    if (!isLadingError(error, 'INVALID_VALUE')) throw error;
    return undefined;
  }
}

function merged(a: CheckOptions['skip'], b: CheckOptions['skip']): CheckOptions['skip'] {
  return a === 'all' || b === 'all' ? 'all' : [...a, ...b];
}
