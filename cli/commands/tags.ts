import { listTags } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { registryOptions } from '../registry-options.js';
import { writeLines } from '../render/lines.js';
import { jsonOption } from '../shared-options.js';
import { withPlaces } from '../with-places.js';

export const command = defineCommand({
  positionals: {
    repository: { type: 'string', demandOption: true, describe: 'Repository of a registry, without a tag' },
  },
  options: { ...registryOptions, ...jsonOption },
  examples: [
    { line: 'lading tags debian', does: 'On Docker Hub' },
    { line: 'lading tags --json ghcr.io/me/team/app', does: 'As a list for programs' },
  ],
  async run(args, context) {
    await withPlaces(args, context, ({ registry, signal }) =>
      writeLines(listTags(args.repository.replace(/^docker:\/\//, ''), { registry, signal }), args.json, context),
    );
  },
});
