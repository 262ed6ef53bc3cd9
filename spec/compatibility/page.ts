import { olderBuildkit } from '../interop/older-buildkit.js';
import { type CorpusCase, corpusCases } from '../support/corpus.js';
import { type Difference, differences } from './differences.js';
import { type ForeignOption, foreignOptions } from './foreign-options.js';
import { language, type Part } from './language.js';
import { type NotYet, notYet } from './not-yet.js';
import { wordsOfCase } from './words-of-case.js';

/** `docs/compatibility.md`, made from the tables that the tests are held to. */
export function compatibilityPage(): string {
  return [introduction, missing(), onPurpose(), same(), tools].join('\n');
}

const introduction = `# Compatibility

The semantics are those of BuildKit's Dockerfile frontend, held to results that a real Docker 28.5 recorded
(\`spec/corpus.spec.ts\`) and to the daemon of Docker 20.10, a BuildKit of another age, which builds the same cases
(\`spec/interop/corpus.spec.ts\`). This page says what is not there, what is different on purpose, and what holds the rest.
It is made from the tables in \`spec/compatibility\`, and every row of it is shown by a test.
`;

const tools = `## Registries and tools

What lading writes is read by Docker, Podman, skopeo and umoci, and what they write by lading: \`spec/interop\` shows it with the
real programs. Docker's media types are kept as they are when images are copied; what is built has OCI media types,
or Docker's with \`--output type=…,oci-mediatypes=false\`.
`;

function missing(): string {
  const rows = Object.values<NotYet>(notYet).map(({ what, instead }) => [what, instead]);
  return `## Not there yet

Each of these is an error with the line and a way out, never skipped.

${table(['what', 'instead'], rows)}
Options of \`docker build\`, \`docker buildx build\` and others that are refused, except with values that ask for what happens
anyway:

${table(['option', 'because', 'instead', 'taken with'], refusedOptions())}
Taken with any value, and without a meaning: ${meaningless.map(({ name }) => `\`--${name}\``).join(', ')}.
`;
}

const meaningless = foreignOptions.filter(({ refused }) => refused.length === 0);

/** Options with the same answer share a row. */
function refusedOptions(): string[][] {
  const rows = new Map<string, { names: string[]; option: ForeignOption }>();
  for (const option of foreignOptions) {
    if (option.refused.length === 0) continue;
    const answer = [option.reason, option.instead, ...option.taken].join('\n');
    const row = rows.get(answer) ?? { names: [], option };
    row.names.push(`\`--${option.name}${option.value || option.refused.includes('true') ? '' : '=false'}\``);
    rows.set(answer, row);
  }
  return [...rows.values()].map(({ names, option: { reason, instead, taken } }) => [
    names.join(', '),
    reason,
    instead.replace(/"([^"]+)"/g, '`$1`'),
    taken.map(value => `\`${value}\``).join(', '),
  ]);
}

function onPurpose(): string {
  const rows = Object.values<Difference>(differences).map(({ what, buildkit, lading, why }) => [
    what,
    buildkit,
    lading,
    why,
  ]);
  return `## Different on purpose\n\n${table(['what', 'BuildKit', 'lading', 'why'], rows)}`;
}

function same(): string {
  const cases = corpusCases().map(one => ({ words: wordsOfCase(one), repeated: isRepeated(one) }));
  const row = ({ what, cases: words, tests }: Part): string[] => {
    const covering = cases.filter(one => words.some(word => one.words.has(word)));
    const repeated = covering.filter(one => one.repeated);
    const files = new Set(tests.map(test => test.replace(/:.*/, '')));
    return [
      what,
      ...[covering, repeated].map(({ length }) => (length === 0 ? '' : String(length))),
      [...files].map(file => `\`${file.replace(/\.spec\.ts$/, '')}\``).join(' '),
    ];
  };
  const sections = Object.entries(language).map(
    ([title, parts]) => `### ${title}\n\n${table(['what', '28.5', '20.10', 'and in'], parts.map(row))}`,
  );
  return `## The same

How many recorded builds of Docker 28.5 cover what; how many of them the BuildKit of Docker 20.10 repeats (it knows less of the
language, or did some of it in another way: \`spec/interop/older-buildkit.ts\` says where); and the tests in \`spec\` and golden
folders in \`testdata\` that look at it alone.

${sections.join('\n')}`;
}

/** Whether the older BuildKit says the same of a case, in whatever words. */
function isRepeated({ name, expect }: CorpusCase): boolean {
  const older = olderBuildkit[name];
  return older === undefined || (older.refuses !== undefined && expect === 'error');
}

function table(head: readonly string[], rows: readonly string[][]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |\n`;
  return `${line(head)}|${'---|'.repeat(head.length)}\n${rows.map(line).join('')}`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|');
