import { containerDiff } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { entering } from '../entering.js';
import { formatJson } from '../render/json.js';
import { printableLine } from '../render/printable.js';
import { jsonOption } from '../shared-options.js';
import { withStore } from '../store-session.js';

export const command = defineCommand({
  positionals: { container: { type: 'string', demandOption: true, describe: 'Name or id' } },
  options: jsonOption,
  examples: [{ line: 'lading diff edit', does: 'What was added (A), changed (C) and deleted (D)' }],
  async run(args, context) {
    const { stdout, signal } = context;
    const changes = await withStore(args, context, store =>
      containerDiff(args.container, { store, ...entering(context), signal }),
    );
    if (args.json) stdout.write(formatJson(changes));
    else for (const { kind, path } of changes) stdout.write(`${kind} ${printableLine(path)}\n`);
  },
});
