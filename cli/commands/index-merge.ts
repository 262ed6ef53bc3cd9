import { mergeIndex } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { indexAnnotations, indexOptions } from '../index-command.js';
import { platformList } from '../shared-options.js';
import { withPlaces } from '../with-places.js';

export const command = defineCommand({
  positionals: { name: { type: 'string', demandOption: true, describe: 'Name of the index in its registry' } },
  options: {
    part: { type: 'string', demandOption: true, requiresArg: true, describe: 'What its parts were pushed with' },
    expect: {
      type: 'string',
      array: true,
      demandOption: true,
      requiresArg: true,
      describe: 'Platforms that it must have, several with commas or given again',
    },
    wait: { type: 'number', requiresArg: true, describe: 'Seconds to wait for parts that are missing' },
    'if-complete': { type: 'boolean', describe: 'Missing parts are no failure: whoever pushes the last one merges' },
    ...indexOptions,
  },
  examples: [
    {
      line: 'lading index merge ghcr.io/me/app:1 --part run-7 --expect linux/amd64,linux/arm64',
      does: 'Fails when a platform is missing',
    },
    {
      line: 'lading index merge ghcr.io/me/app:1 --part run-7 --expect linux/amd64,linux/arm64 --if-complete',
      does: 'On every machine, behind its push --part',
    },
  ],
  async run(args, context) {
    const descriptor = await withPlaces(args, context, options =>
      mergeIndex(args.name, {
        ...options,
        part: args.part,
        expect: platformList(args.expect) ?? [],
        waitMs: (args.wait ?? 0) * 1000,
        ifComplete: args.ifComplete,
        annotations: indexAnnotations(args),
      }),
    );
    if (descriptor === undefined) context.stderr.write(`${args.name} is not complete yet\n`);
    else context.stdout.write(`${descriptor.digest}\n`);
  },
});
