import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { examineHost, type TierReport } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { storeRoot } from '../global-options.js';
import { formatJson } from '../render/json.js';
import { jsonOption } from '../shared-options.js';

export const command = defineCommand({
  options: { ...jsonOption },
  examples: [{ line: 'lading doctor', does: 'Try every way of running RUN, and say which one is used' }],
  async run(args, context) {
    const scratch = await mkdtemp(join(nearestFolder(storeRoot(args, context)), '.lading-doctor-'));
    try {
      const tiers = await examineHost({ path: context.env['PATH'], scratch });
      const used = tiers.findIndex(({ works }) => works);
      if (args.json)
        context.stdout.write(
          formatJson({ run: used !== -1, tiers: tiers.map((tier, i) => ({ ...tier, used: i === used })) }),
        );
      else context.stdout.write(`${tiers.map((tier, i) => described(tier, i === used)).join('\n')}${conclusion(used)}`);
      return used === -1 ? 1 : undefined;
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  },
});

/** On the disk of the store, whether or not that has been made. */
function nearestFolder(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : nearestFolder(dirname(path));
}

function described({ name, works, detail, missing, remedy }: TierReport, used: boolean): string {
  const lines = [`${works ? 'yes' : 'no '}  ${name.padEnd(12)}${detail ?? missing ?? ''}${used ? ' (used)' : ''}`];
  if (works && missing !== undefined) lines.push(`                 ${missing}`);
  if (remedy !== undefined) lines.push(`                 to change that: ${remedy}`);
  return lines.join('\n');
}

function conclusion(used: number): string {
  if (used !== -1) return '\n';
  return '\nRUN cannot be executed here; Dockerfiles without it, or with it in stages that the target does not need, can be built.\n';
}
