import { searchImages } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { registryOptions } from '../registry-options.js';
import { formatJson } from '../render/json.js';
import { formatTable } from '../render/table.js';
import { jsonOption, templateOption } from '../shared-options.js';
import { withPlaces } from '../with-places.js';

const describeLimit = 60;

export const command = defineCommand({
  positionals: { term: { type: 'string', demandOption: true, describe: 'What to look for' } },
  options: {
    registry: { type: 'string', default: 'docker.io', requiresArg: true, describe: 'Host of the registry' },
    limit: { type: 'number', default: 25, requiresArg: true, describe: 'The most results' },
    'no-trunc': { type: 'boolean', describe: 'Descriptions in full' },
    ...registryOptions,
    ...jsonOption,
  },
  unsupported: {
    ...templateOption,
    filter: { value: true, reason: 'registries filter differently', instead: 'Use --json, and jq or the like.' },
  },
  examples: [
    { line: 'lading search redis', does: 'On Docker Hub' },
    { line: 'lading search --registry localhost:5000 app', does: 'By name, where the registry lists what it has' },
  ],
  async run(args, context) {
    const found = await withPlaces(args, context, ({ registry, signal }) =>
      searchImages(args.term, args.registry, { limit: args.limit, registry, signal }),
    );
    if (args.json) {
      context.stdout.write(formatJson(found));
      return undefined;
    }
    const rows = found.map(({ name, description = '', stars, official }) => [
      name,
      args.noTrunc || description.length <= describeLimit ? description : `${description.slice(0, describeLimit - 1)}…`,
      stars === undefined ? '' : String(stars),
      official ? '[OK]' : '',
    ]);
    context.stdout.write(formatTable(columns, rows));
    return undefined;
  },
});

const columns = [
  { title: 'NAME' },
  { title: 'DESCRIPTION' },
  { title: 'STARS', align: 'right' },
  { title: 'OFFICIAL' },
] as const;
