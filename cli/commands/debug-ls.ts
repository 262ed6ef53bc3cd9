import { type ListedFile, openFailedCommand } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { formatJson } from '../render/json.js';
import { printableLine } from '../render/printable.js';
import { formatTable } from '../render/table.js';
import { jsonOption } from '../shared-options.js';
import { withStore } from '../store-session.js';

export const command = defineCommand({
  positionals: { path: { type: 'string', describe: 'Folder or file [default: /]' } },
  options: { ...jsonOption },
  examples: [{ line: 'lading debug ls /app', does: 'What is in /app, as the RUN has left it' }],
  async run({ path = '/', ...args }, context) {
    const files = await withStore(args, context, async store => {
      const failed = await openFailedCommand(store, { signal: context.signal });
      return failed.list(path);
    });
    if (args.json) context.stdout.write(formatJson(files));
    else if (files.length > 0) context.stdout.write(formatTable([...columns], files.map(row)));
    return undefined;
  },
});

const right = { align: 'right' } as const;
const columns = [
  { title: 'MODE' },
  { title: 'OWNER', ...right },
  { title: 'SIZE', ...right },
  { title: 'TIME' },
  { title: 'NAME' },
];

const letters: Readonly<Record<ListedFile['type'], string>> = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  character: 'c',
  block: 'b',
  fifo: 'p',
};

function row({ name, type, mode, uid, gid, size, mtime, target }: ListedFile): string[] {
  const time = new Date(mtime * 1000).toISOString().replace('.000', '');
  const shown = target === undefined ? name : `${name} -> ${target}`;
  const permissions = mode.toString(8).padStart(4, '0');
  return [`${letters[type]}${permissions}`, `${uid}:${gid}`, String(size ?? ''), time, printableLine(shown)];
}
