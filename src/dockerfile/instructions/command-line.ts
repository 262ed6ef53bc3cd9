import type { CommandInstruction, CommandLine, RunInstruction, ShellInstruction } from '../ast.js';
import { flagTables, parseFlags, refuseFlags } from '../flags.js';
import { quote } from '../go-text.js';
import { Problem } from '../problem.js';
import type { Placement, Statement } from '../statement.js';
import { makeNode, requireArguments } from './node.js';

/** The command that words stand for; no words at all are the empty text for the shell. */
export function commandLine(words: readonly string[], json: boolean): CommandLine {
  return json ? { form: 'exec', argv: words } : { form: 'shell', text: words.join(' ') };
}

/** `RUN [flags] command` */
export function parseRun(statement: Statement, place: Placement): RunInstruction {
  const { mount, device, network, security } = parseFlags(statement.flags, flagTables.RUN);
  if (network !== undefined && !['default', 'none', 'host'].includes(network)) {
    throw new Problem(`invalid network mode ${quote(network)}`, 'Known modes are default, none and host.');
  }
  if (security !== undefined && !['sandbox', 'insecure'].includes(security)) {
    throw new Problem(`security ${quote(security)} is not valid`, 'Write sandbox or insecure.');
  }
  return makeNode('RUN', statement, place, {
    command: commandLine(statement.words, statement.json),
    mounts: mount,
    devices: device,
    network,
    security,
  });
}

/** `CMD command` and `ENTRYPOINT command` */
export function parseCommand(kind: 'CMD' | 'ENTRYPOINT', statement: Statement, place: Placement): CommandInstruction {
  refuseFlags(statement.flags);
  return makeNode(kind, statement, place, { command: commandLine(statement.words, statement.json) });
}

/** `SHELL ["program", "argument"]` */
export function parseShell(statement: Statement, place: Placement): ShellInstruction {
  refuseFlags(statement.flags);
  requireArguments(statement);
  if (!statement.json) {
    throw new Problem('SHELL requires the arguments to be in JSON form', 'Write SHELL ["/bin/sh", "-c"].');
  }
  return makeNode('SHELL', statement, place, { shell: statement.words });
}
