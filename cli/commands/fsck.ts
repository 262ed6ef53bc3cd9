import type { Store } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { exitCode } from '../exit-code.js';
import { formatJson } from '../render/json.js';
import { printableLine } from '../render/printable.js';
import { jsonOption } from '../shared-options.js';
import { withStore } from '../store-session.js';

type Problem = Awaited<ReturnType<Store['check']>>['problems'][number];

export const command = defineCommand({
  options: {
    repair: { type: 'boolean', describe: 'Delete what is damaged and can be made or fetched again' },
    ...jsonOption,
  },
  examples: [
    { line: 'lading fsck', does: 'Exit code 1 when something is wrong' },
    { line: 'lading fsck --repair', does: 'And delete what is damaged' },
  ],
  async run(args, context) {
    const { stdout, stderr, signal } = context;
    const { repair } = args;
    const check = await withStore(args, context, store => store.check({ repair, signal }));
    const { blobs, problems, leftovers } = check;
    const open = problems.filter(problem => !problem.repaired).length;
    if (args.json) {
      stdout.write(formatJson(check));
    } else {
      for (const problem of problems) {
        stdout.write(`${problem.repaired ? 'repaired: ' : ''}${printableLine(describe(problem))}\n`);
      }
      const killed = leftovers.length === 0 ? '' : `, ${leftovers.length} unfinished by killed processes`;
      stdout.write(
        `${blobs} blobs checked, ${problems.length} problems, ${problems.length - open} repaired${killed}\n`,
      );
    }
    if (open === 0) return exitCode.done;
    const deletable = problems.some(({ repaired, kind }) => !repaired && kind !== 'blob-missing');
    if (!repair && deletable) stderr.write('hint: lading fsck --repair deletes what is damaged.\n');
    else
      stderr.write(
        'hint: Pull, load or build the image again to bring back what it lacks, or take its name away with lading rmi.\n',
      );
    return exitCode.failed;
  },
});

function describe(problem: Problem): string {
  switch (problem.kind) {
    case 'index-file-invalid':
      return `${problem.path}: the list of images cannot be read: ${problem.problem}`;
    case 'blob-damaged':
      return `${problem.digest}: its bytes are those of ${problem.actual}`;
    case 'blob-missing':
      return `${problem.digest}: missing, and needed by ${problem.neededBy}`;
    case 'document-invalid':
      return `${problem.digest}: ${problem.problem} (needed by ${problem.neededBy})`;
    case 'stray-file':
      return `${problem.path}: not a blob`;
    case 'layer-file-damaged':
    case 'record-damaged':
    case 'snapshot-damaged':
    case 'container-damaged':
      return `${problem.path}: damaged`;
  }
}
