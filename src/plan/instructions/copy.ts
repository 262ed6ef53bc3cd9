import type { AddInstruction, CopyInstruction } from '../../dockerfile/ast.js';
import { heredocText } from '../../dockerfile/heredoc.js';
import { redactUserinfo } from '../../errors/redact.js';
import { copyOrigin } from '../dependencies.js';
import { parseGitReference } from '../git-reference.js';
import { fileMark } from '../history.js';
import { lintSource } from '../lint/ignored-sources.js';
import { invalidValue } from '../refusal.js';
import { sourceKind } from '../remote-source.js';
import { expand, expandDocument, type StageDraft, type StepBody, useOrigin, workingDirectory } from '../stage-draft.js';
import type { FileOrigin, InlineFile } from '../step.js';
import { destinationPath } from '../work-path.js';

/** COPY and ADD: everything but `--from` and `--exclude` is expanded. */
export function lowerCopy(instruction: CopyInstruction | AddInstruction, draft: StageDraft): StepBody {
  const { kind, link, exclude, heredocs } = instruction;
  const chown = expand(draft, instruction.chown ?? '');
  const chmod = expand(draft, instruction.chmod ?? '');
  const checksum = kind === 'ADD' ? expand(draft, instruction.checksum ?? '') : '';
  const sources = instruction.sources.map(word => expand(draft, word));
  const destination = expand(draft, instruction.destination);
  const inlineFiles = heredocs.map((heredoc): InlineFile => {
    const text = heredocText(heredoc);
    return { name: heredoc.name, content: heredoc.expand ? expandDocument(draft, text) : text };
  });
  if (chmod !== '') checkChmod(chmod);
  if (checksum !== '') checkChecksum(checksum, sources);
  if (kind === 'COPY') sources.forEach(checkLocal);
  else
    for (const source of sources)
      parseGitReference(source, { checksum: checksum || undefined, ...addOptions(instruction) });
  const from = originOf(instruction, draft);
  lintSources(instruction, from, sources, draft);
  const parents = kind === 'COPY' && instruction.parents;
  const words = [
    kind,
    ...(parents ? ['--parents'] : []),
    ...(chown === '' ? [] : [`--chown=${chown}`]),
    ...(chmod === '' ? [] : [`--chmod=${chmod}`]),
    ...sources.map(redactUserinfo),
    ...inlineFiles.map(file => `<<${file.name}`),
    destination,
  ];
  return {
    kind: 'copy',
    createdBy: words.join(' ') + fileMark,
    instruction: kind,
    from,
    sources,
    inlineFiles,
    destination: destinationPath(workingDirectory(draft), destination, draft.platform.os),
    ...(chown === '' ? {} : { chown }),
    ...(chmod === '' ? {} : { chmod }),
    link,
    parents,
    exclude,
    ...(checksum === '' ? {} : { checksum }),
    ...(kind === 'ADD' ? addOptions(instruction) : {}),
  };
}

function lintSources(
  instruction: CopyInstruction | AddInstruction,
  from: FileOrigin,
  sources: readonly string[],
  { contextIgnore, report }: StageDraft,
): void {
  if (contextIgnore === undefined || from.kind !== 'context') return;
  const local = sources.filter(source => sourceKind(source) === 'path');
  report(local.flatMap(source => lintSource(source, contextIgnore, instruction)));
}

function addOptions({ unpack, keepGitDir }: AddInstruction) {
  return { ...(unpack === undefined ? {} : { unpack }), ...(keepGitDir === undefined ? {} : { keepGitDir }) };
}

function originOf(instruction: CopyInstruction | AddInstruction, draft: StageDraft): FileOrigin {
  if (instruction.kind === 'ADD') return { kind: 'context' };
  const origin = copyOrigin(instruction, draft.references);
  const names = [instruction.from, draft.label].map(name => JSON.stringify(name));
  const message = `cannot copy from stage ${names[0]}, it needs to be defined before current stage ${names[1]}`;
  useOrigin(draft, origin, instruction.range, message);
  return origin;
}

/** Octal up to 07777, or clauses as chmod(1) of the BSDs takes them. */
function checkChmod(chmod: string): void {
  if (/^[0-7]+$/.test(chmod) && Number.parseInt(chmod, 8) <= 0o7777) return;
  if (/^[augo]*(?:[-+=][rstwXxugo]*)+(?:,[augo]*(?:[-+=][rstwXxugo]*)+)*$/.test(chmod)) return;
  // What starts with a digit is taken for an octal number that is none.
  const message = /^\d/.test(chmod)
    ? `invalid chmod parameter: '${chmod}'. it should be octal string and between 0 and 07777`
    : `invalid chmod parameter: '${chmod}': invalid syntax`;
  throw invalidValue('--chmod', chmod, message, 'Write an octal mode such as 0644, or clauses such as u=rwX,go=rX.');
}

/**
 * What `--checksum` of ADD may stand with, and be.
 * @throws LadingError INVALID_VALUE
 */
export function checkChecksum(checksum: string, sources: readonly string[]): void {
  if (sources.length !== 1) {
    throw invalidValue(
      '--checksum',
      checksum,
      "checksum can't be specified for multiple sources",
      'Write one ADD for each source.',
    );
  }
  const kind = sourceKind(sources[0]!);
  if (kind === 'path') {
    throw invalidValue(
      '--checksum',
      checksum,
      'checksum requires HTTP(S) or Git sources',
      'Leave --checksum out for files of the context.',
    );
  }
  if (kind === 'http') checkDigest(checksum);
}

function checkDigest(text: string): void {
  const hint = 'Write --checksum=sha256: and the 64 hexadecimal digits of the file.';
  const lengths: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };
  const match = /^([a-z0-9]+(?:[.+_-][a-z0-9]+)*):([0-9a-zA-Z=_-]+)$/.exec(text);
  if (match === null) throw invalidValue('--checksum', text, 'invalid checksum digest format', hint);
  const length = Object.hasOwn(lengths, match[1]!) ? lengths[match[1]!] : undefined;
  if (length === undefined) throw invalidValue('--checksum', text, 'unsupported digest algorithm', hint);
  if (match[2]!.length !== length) throw invalidValue('--checksum', text, 'invalid checksum digest length', hint);
  if (!/^[0-9a-f]+$/.test(match[2]!)) throw invalidValue('--checksum', text, 'invalid checksum digest format', hint);
}

function checkLocal(source: string): void {
  const kind = sourceKind(source);
  if (kind === 'http') throw invalidValue('source', source, "source can't be a URL for COPY", 'Use ADD for URLs.');
  if (kind === 'git')
    throw invalidValue('source', source, "source can't be a git ref for COPY", 'Use ADD for repositories.');
}
