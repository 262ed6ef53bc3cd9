import type { RunInstruction } from '../../dockerfile/ast.js';
import { heredocText, parseHeredocWord } from '../../dockerfile/heredoc.js';
import { LadingError } from '../../errors/errors.js';
import { mountOrigin } from '../dependencies.js';
import { runText } from '../history.js';
import { proxyEnvironment } from '../proxy-args.js';
import { invalidValue } from '../refusal.js';
import { type MountContext, parseRunMount, type RunMount } from '../run-mount.js';
import { argsInForce, environmentList } from '../scope.js';
import { expand, type StageDraft, type StepBody, useOrigin, workingDirectory } from '../stage-draft.js';
import type { RunScript } from '../step.js';
import { shellInForce } from './process.js';

/** RUN: only mounts are expanded; what is in the command is left to its shell. */
export function lowerRun(instruction: RunInstruction, draft: StageDraft): StepBody {
  if (instruction.devices.length > 0) {
    throw new LadingError('UNSUPPORTED', 'RUN --device is not supported', {
      details: { feature: 'RUN --device', range: instruction.range },
      hint: 'Build without the device, or copy what needs it from an image made elsewhere.',
    });
  }
  const { argv, script } = commandOf(instruction, draft);
  if (argv.length === 0)
    throw invalidValue('RUN', '[]', 'arguments are required', 'Name a program: RUN ["/bin/true"].');
  const mounts = runMounts(instruction, draft);
  const { network, security } = instruction;
  return {
    kind: 'run',
    createdBy: runText(argv, argsInForce(draft.scope)),
    argv,
    ...(script === undefined ? {} : { script }),
    env: runEnvironment(draft, mounts),
    proxyEnv: proxyEnvironment(draft.globals.buildArgs),
    cwd: workingDirectory(draft),
    user: draft.config.User ?? '',
    mounts: inOrder(mounts),
    ...(network === undefined ? {} : { network }),
    ...(security === undefined ? {} : { security }),
  };
}

interface RunCommand {
  readonly argv: readonly string[];
  readonly script?: RunScript | undefined;
}

function commandOf(instruction: RunInstruction, draft: StageDraft): RunCommand {
  const { command, heredocs } = instruction;
  if (command.form === 'exec') return { argv: command.argv };
  const shell = shellInForce(draft);
  const [first] = heredocs;
  if (first === undefined) return { argv: [...shell, command.text] };
  if (parseHeredocWord(command.text.trim()) === undefined) {
    // The shell reads the documents itself: it gets them as they stand in the file.
    const documents = heredocs.map(({ content, name }) => `\n${content}${name}`);
    return { argv: [...shell, command.text + documents.join('')] };
  }
  const text = heredocText(first);
  if (draft.platform.os === 'windows' || !text.startsWith('#!')) return { argv: [...shell, text] };
  const script = { path: `/dev/pipes/${first.name}`, content: text };
  return { argv: [...shell, script.path], script };
}

function runMounts({ mounts, range }: RunInstruction, draft: StageDraft): RunMount[] {
  const context: MountContext = {
    expand: word => expand(draft, word),
    cwd: workingDirectory(draft),
    origin: (from, target) => {
      const origin = mountOrigin(from, range, draft.references);
      const [name, to] = [from, target].map(text => JSON.stringify(text));
      const message = `cannot mount from stage ${name} to ${to}, stage needs to be defined before current command`;
      useOrigin(draft, origin, range, message);
      return origin;
    },
  };
  const parsed: RunMount[] = [];
  for (const text of mounts) {
    parsed.push(parseRunMount(text, context, parsed.filter(mount => mount.type === 'ssh').length));
  }
  return parsed;
}

/** A mount over a folder must be made before one inside it. */
function inOrder(mounts: readonly RunMount[]): RunMount[] {
  const rank = (mount: RunMount): number => (mount.type === 'secret' ? 1 : mount.type === 'ssh' ? 2 : 0);
  const byTarget = (a = '', b = ''): number => (a < b ? -1 : a > b ? 1 : 0);
  return mounts.toSorted((a, b) => rank(a) - rank(b) || (rank(a) === 0 ? byTarget(a.target, b.target) : 0));
}

function runEnvironment(draft: StageDraft, mounts: readonly RunMount[]): string[] {
  const env = new Map(draft.scope.env);
  const agent = mounts.find(mount => mount.type === 'ssh');
  if (agent !== undefined && !env.has('SSH_AUTH_SOCK')) env.set('SSH_AUTH_SOCK', agent.target);
  return environmentList(env);
}
