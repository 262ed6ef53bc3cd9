import type { Store } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { formatJson } from '../render/json.js';
import { shownName } from '../render/shown-name.js';
import { formatSize } from '../render/size.js';
import { formatTable } from '../render/table.js';
import { shortDigest } from '../render/transfer-progress.js';
import { jsonOption, templateOption } from '../shared-options.js';
import { withStore } from '../store-session.js';

type Usage = Awaited<ReturnType<Store['usage']>>;

export const command = defineCommand({
  options: {
    verbose: { alias: 'v', type: 'boolean', describe: 'Every image too' },
    ...jsonOption,
  },
  unsupported: templateOption,
  examples: [{ line: 'lading system df --verbose', does: 'With every image' }],
  async run(args, context) {
    const usage = await withStore(args, context, store => store.usage({ signal: context.signal }));
    if (args.json) {
      context.stdout.write(formatJson(usage));
      return;
    }
    context.stdout.write(summary(usage));
    if (args.verbose && usage.perImage.length > 0) context.stdout.write(`\n${images(usage)}`);
  },
});

const classes: ReadonlyArray<readonly [title: string, of: (usage: Usage) => Usage['images']]> = [
  ['Images', usage => usage.images],
  ['Containers', usage => usage.containers],
  ['Cache records', usage => usage.records],
  ['Layer indexes', usage => usage.layers],
  ['Snapshots', usage => usage.snapshots],
  ['Cache mounts', usage => usage.mounts],
  ['Contexts', usage => usage.contexts],
  ['Transfers', usage => usage.transfers],
  ['Garbage', usage => usage.garbage],
];

function summary(usage: Usage): string {
  const rows = classes.map(([title, of]) => {
    const { count, sizeBytes, reclaimableBytes } = of(usage);
    return [title, String(count), formatSize(sizeBytes), formatSize(reclaimableBytes)];
  });
  return formatTable(
    [
      { title: 'TYPE' },
      { title: 'COUNT', align: 'right' },
      { title: 'SIZE', align: 'right' },
      { title: 'RECLAIMABLE', align: 'right' },
    ],
    [...rows, ['Total', '', formatSize(usage.totalBytes), '']],
  );
}

function images(usage: Usage): string {
  const rows = usage.perImage.map(({ name, descriptor, sizeBytes, sharedBytes }) => [
    name === undefined ? '<none>' : shownName(name),
    shortDigest(descriptor.digest),
    formatSize(sizeBytes),
    formatSize(sharedBytes),
  ]);
  const right = { align: 'right' } as const;
  return formatTable(
    [{ title: 'IMAGE' }, { title: 'DIGEST' }, { title: 'SIZE', ...right }, { title: 'SHARED', ...right }],
    rows,
  );
}
