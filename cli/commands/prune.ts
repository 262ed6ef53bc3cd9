import { createInterface } from 'node:readline/promises';
import type { Store } from '../../src/index.js';
import { defineCommand } from '../command.js';
import type { CliContext } from '../context.js';
import { formatJson } from '../render/json.js';
import { formatSize } from '../render/size.js';
import { jsonOption } from '../shared-options.js';
import { withStore } from '../store-session.js';
import { UsageError } from '../usage-error.js';

type Report = Awaited<ReturnType<Store['prune']>>;

export const command = defineCommand({
  options: {
    all: { alias: 'a', type: 'boolean', describe: 'Images without a name too' },
    cache: { type: 'boolean', describe: 'The build cache too' },
    mounts: { type: 'boolean', describe: 'Folders of RUN --mount=type=cache too' },
    'keep-cache': { type: 'string', requiresArg: true, describe: 'As --cache, but leave this much, such as 5GB' },
    'dry-run': { type: 'boolean', describe: 'Only tell what would go' },
    force: { alias: 'f', type: 'boolean', describe: 'Do not ask' },
    ...jsonOption,
  },
  unsupported: {
    filter: {
      value: true,
      reason: 'nothing is chosen by label or age',
      instead: 'Use --keep-cache SIZE for the cache, or --mounts for type=exec.cachemount.',
    },
    volumes: { value: false, reason: 'there are no volumes', instead: 'Leave it out.' },
  },
  examples: [
    { line: 'lading prune', does: 'What no image and no build needs' },
    { line: 'lading prune --all --cache --dry-run', does: 'How much everything that can go would give back' },
  ],
  async run(args, context) {
    const { signal, stdout, stderr } = context;
    const keepCacheBytes = args.keepCache === undefined ? undefined : sizeInBytes(args.keepCache);
    const options = { all: args.all, cache: args.cache, mounts: args.mounts, keepCacheBytes, signal };
    await withStore(args, context, async store => {
      if (!args.force && !args.dryRun && context.stdin.isTTY && stderr.isTTY) {
        const plan = await store.prune({ ...options, dryRun: true });
        if (plan.freedBytes > 0 && !(await confirmed(`Delete ${contents(plan)}?`, context))) {
          stderr.write('nothing was deleted\n');
          return;
        }
      }
      const report = await store.prune({ ...options, dryRun: args.dryRun });
      if (args.json) stdout.write(formatJson({ ...report, dryRun: args.dryRun }));
      for (const path of report.stuck)
        stderr.write(`warning: could not delete all of ${path}: it belongs to somebody else\n`);
      if (!args.json)
        stdout.write(`${args.dryRun ? 'would delete' : 'deleted'} ${contents(report)}\n${leased(report)}`);
    });
  },
});

function contents(report: Report): string {
  const parts = [
    counted(report.images.length, 'image'),
    counted(report.blobs.length, 'blob'),
    counted(report.records, 'cache record'),
    counted(report.layerFiles, 'layer file'),
    counted(report.cacheItems, 'cache entry', 'cache entries'),
    counted(report.leftovers, 'unfinished session'),
  ].filter(part => part !== undefined);
  return parts.length === 0 ? 'nothing' : `${parts.join(', ')}: ${formatSize(report.freedBytes)}`;
}

function leased({ leasedBytes }: Report): string {
  return leasedBytes === 0 ? '' : `${formatSize(leasedBytes)} may be in use by another process and stay for now\n`;
}

function counted(count: number, one: string, many = `${one}s`): string | undefined {
  return count === 0 ? undefined : `${count} ${count === 1 ? one : many}`;
}

async function confirmed(question: string, { stdin, stderr, signal }: CliContext): Promise<boolean> {
  const prompt = createInterface({ input: stdin, output: stderr });
  try {
    return /^y(?:es)?$/i.test((await prompt.question(`${question} [y/N] `, { signal })).trim());
  } finally {
    prompt.close();
  }
}

const multiples: Readonly<Record<string, number>> = { '': 1, K: 1e3, M: 1e6, G: 1e9, T: 1e12 };

function sizeInBytes(text: string): number {
  const match = /^(\d{1,12}(?:\.\d{1,6})?)\s?([kmgt]?)b?$/i.exec(text.trim());
  if (match === null) {
    throw new UsageError(
      `--keep-cache: not a size: ${JSON.stringify(text)}`,
      'Write a number with B, kB, MB, GB or TB.',
    );
  }
  return Math.floor(Number(match[1]) * multiples[match[2]!.toUpperCase()]!);
}
