import { type FileChange, openFailedCommand } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { formatJson } from '../render/json.js';
import { printableLine } from '../render/printable.js';
import { jsonOption } from '../shared-options.js';
import { withStore } from '../store-session.js';

export const command = defineCommand({
  options: { ...jsonOption },
  examples: [{ line: 'lading debug diff', does: 'A for added, C for changed, D for deleted' }],
  async run(args, context) {
    const changes = await withStore(args, context, async store => {
      const failed = await openFailedCommand(store, { signal: context.signal });
      return failed.changes();
    });
    if (args.json) context.stdout.write(formatJson(changes));
    else context.stdout.write(changes.map(line).join(''));
    return undefined;
  },
});

const letters: Readonly<Record<FileChange['kind'], string>> = { added: 'A', changed: 'C', deleted: 'D' };

function line({ kind, path }: FileChange): string {
  return `${letters[kind]} ${printableLine(path)}\n`;
}
