import { type Container, listContainers, type PublishedPort } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { formatAge, formatSpan } from '../render/age.js';
import { hostText } from '../render/host-text.js';
import { formatJson } from '../render/json.js';
import { formatTable } from '../render/table.js';
import { jsonOption, templateOption } from '../shared-options.js';
import { withStore } from '../store-session.js';

export const command = defineCommand({
  options: {
    all: { alias: 'a', type: 'boolean', describe: 'Those that do not run, too' },
    quiet: { alias: 'q', type: 'boolean', describe: 'Ids only' },
    'no-trunc': { type: 'boolean', describe: 'Ids and commands in full' },
    ...jsonOption,
  },
  unsupported: {
    ...templateOption,
    filter: { value: true, reason: 'there are no filters', instead: 'Use --json, and jq or the like on its output.' },
  },
  examples: [{ line: 'lading ps -a', does: 'All containers' }],
  async run(args, context) {
    const { stdout, now } = context;
    const all = await withStore(args, context, store => listContainers({ store }));
    const shown = all.filter(({ status }) => args.all || status === 'running');
    const id = (container: Container): string => (args.noTrunc ? container.id : container.id.slice(0, 12));
    if (args.quiet) {
      for (const container of shown) stdout.write(`${id(container)}\n`);
    } else if (args.json) {
      stdout.write(
        formatJson(shown.map(({ config: _, runner: __, keeper: ___, kept: ____, ...container }) => container)),
      );
    } else {
      const rows = shown.map(container => [
        id(container),
        container.image.name,
        commandText(container, args.noTrunc ?? false),
        formatAge(container.createdMs, now()),
        statusText(container, now()),
        (container.ports ?? []).map(portText).join(', '),
        container.name,
      ]);
      stdout.write(formatTable(columns, rows));
    }
  },
});

const columns = [
  { title: 'CONTAINER ID' },
  { title: 'IMAGE' },
  { title: 'COMMAND' },
  { title: 'CREATED' },
  { title: 'STATUS' },
  { title: 'PORTS' },
  { title: 'NAME' },
] as const;
const commandLimit = 30;

function commandText({ process }: Container, whole: boolean): string {
  const text = JSON.stringify(process.argv.join(' '));
  return whole || text.length <= commandLimit ? text : `${text.slice(0, commandLimit - 2)}…"`;
}

function portText({ address, hostPort, containerPort, protocol }: PublishedPort): string {
  return `${hostText(address)}:${hostPort}->${containerPort}/${protocol}`;
}

function statusText({ status, startedMs, finishedMs, exitCode }: Container, now: number): string {
  switch (status) {
    case 'created':
      return 'Created';
    case 'running':
      return `Up ${formatSpan(now - (startedMs ?? now)) ?? 'less than a second'}`;
    case 'exited':
      return `Exited (${exitCode}) ${formatAge(finishedMs ?? now, now)}`;
  }
}
