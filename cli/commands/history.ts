import { type HistoryLine, hostPlatform, imageHistory } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { imageName } from '../image-name.js';
import { isLocation, locationText } from '../location-text.js';
import { registryAccess, registryOptions } from '../registry-options.js';
import { formatJson } from '../render/json.js';
import { printableLine } from '../render/printable.js';
import { formatSize } from '../render/size.js';
import { formatTable } from '../render/table.js';
import { jsonOption, templateOption } from '../shared-options.js';
import { withStore } from '../store-session.js';

export const command = defineCommand({
  positionals: {
    image: {
      type: 'string',
      demandOption: true,
      describe: 'Name or digest in the store, or docker://NAME, oci:DIR ...',
    },
  },
  options: {
    platform: { type: 'string', requiresArg: true, describe: 'Which image of several platforms' },
    'no-trunc': { type: 'boolean', describe: 'Instructions in full' },
    ...registryOptions,
    ...jsonOption,
  },
  unsupported: {
    ...templateOption,
    human: { value: false, reason: 'sizes are for people unless --json', instead: 'Leave it out.' },
    quiet: { value: false, reason: 'steps have no ids of their own', instead: 'Use --json.' },
  },
  examples: [{ line: 'lading history app:1.0', does: 'Newest first' }],
  async run(args, context) {
    const { signal, arch, stdout, stderr, cwd } = context;
    const lines = await withStore(args, context, async store => {
      const place = isLocation(args.image) ? locationText(args.image, cwd) : await imageName(store, args.image);
      const warn = (message: string): void => void stderr.write(`warning: ${printableLine(message)}\n`);
      const registry = registryAccess(args, context, warn);
      return await imageHistory(place, { store, host: hostPlatform(arch), platform: args.platform, registry, signal });
    });
    if (args.json) stdout.write(formatJson(lines.map(({ entry, layer }) => ({ ...entry, layer }))));
    else stdout.write(table(lines, args.noTrunc ?? false));
  },
});

function table(lines: readonly HistoryLine[], whole: boolean): string {
  const rows = lines.map(({ entry, layer }) => [
    entry.created ?? '',
    shortened(printableLine(entry.created_by ?? ''), whole),
    layer === undefined ? '0B' : formatSize(layer.size),
    entry.comment ?? '',
  ]);
  return formatTable(
    [{ title: 'CREATED' }, { title: 'CREATED BY' }, { title: 'SIZE', align: 'right' }, { title: 'COMMENT' }],
    rows,
  );
}

function shortened(text: string, whole: boolean): string {
  const characters = [...text];
  return whole || characters.length <= 60 ? text : `${characters.slice(0, 59).join('')}…`;
}
