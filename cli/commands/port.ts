import { findContainer, type PublishedPort } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { hostText } from '../render/host-text.js';
import { formatJson } from '../render/json.js';
import { jsonOption } from '../shared-options.js';
import { withStore } from '../store-session.js';
import { UsageError } from '../usage-error.js';

export const command = defineCommand({
  positionals: {
    container: { type: 'string', demandOption: true, describe: 'Name or id; it must run' },
    port: { type: 'string', describe: 'PORT[/tcp|udp] of the container' },
  },
  options: jsonOption,
  examples: [
    { line: 'lading port server', does: 'All ports, and where they can be reached' },
    { line: 'lading port server 80', does: 'Where that one can be reached' },
  ],
  async run(args, context) {
    const { ports = [], name } = await withStore(args, context, store => findContainer(args.container, { store }));
    const wanted = args.port === undefined ? undefined : portOf(args.port);
    const shown = ports.filter(port => wanted === undefined || keyOf(port) === wanted);
    if (wanted !== undefined && shown.length === 0) throw new UsageError(`${name} publishes no port ${wanted}`);
    if (args.json) context.stdout.write(formatJson(shown));
    else {
      for (const port of shown) {
        const place = `${hostText(port.address)}:${port.hostPort}`;
        context.stdout.write(wanted === undefined ? `${keyOf(port)} -> ${place}\n` : `${place}\n`);
      }
    }
  },
});

function keyOf({ containerPort, protocol }: PublishedPort): string {
  return `${containerPort}/${protocol}`;
}

function portOf(text: string): string {
  const [, port, protocol = 'tcp'] = /^(\d{1,5})(?:\/(tcp|udp))?$/i.exec(text) ?? [];
  if (port === undefined) throw new UsageError(`not a port: ${text}`, 'Write PORT, PORT/tcp or PORT/udp.');
  return `${Number(port)}/${protocol.toLowerCase()}`;
}
