import { listRepositories } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { registryOptions } from '../registry-options.js';
import { writeLines } from '../render/lines.js';
import { jsonOption } from '../shared-options.js';
import { withPlaces } from '../with-places.js';

export const command = defineCommand({
  positionals: {
    registry: { type: 'string', demandOption: true, describe: 'Host of a registry, with its port' },
  },
  options: { ...registryOptions, ...jsonOption },
  examples: [{ line: 'lading catalog localhost:5000', does: 'Public registries have no such list' }],
  async run(args, context) {
    await withPlaces(args, context, ({ registry, signal }) =>
      writeLines(listRepositories(args.registry, { registry, signal }), args.json, context),
    );
  },
});
