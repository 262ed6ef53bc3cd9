import { copyBetween, copyTags } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { locationText } from '../location-text.js';
import { registryOptions } from '../registry-options.js';
import { planOf } from '../render/transfer-plan.js';
import { moveOptions, platformList, platformsOption, quietOption } from '../shared-options.js';
import { foreignLayerOptions, transferOptions } from '../transfer-options.js';
import { withPlaces } from '../with-places.js';

const places = 'docker://NAME, store:NAME, oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME]';

export const command = defineCommand({
  positionals: {
    source: { type: 'string', demandOption: true, describe: `From where: ${places}` },
    destination: { type: 'string', demandOption: true, describe: 'To where' },
  },
  options: {
    ...platformsOption,
    referrers: { type: 'boolean', describe: 'Copy what speaks of the image too: signatures, statements' },
    'all-tags': { alias: 'a', type: 'boolean', describe: 'Every tag of a repository to another one' },
    tags: {
      type: 'string',
      array: true,
      requiresArg: true,
      describe: 'Tags of a repository to another one, with * for any text',
    },
    ...registryOptions,
    ...transferOptions,
    ...foreignLayerOptions,
    ...moveOptions,
    ...quietOption,
  },
  unsupported: {
    all: { value: false, reason: 'all platforms are the default', instead: 'Leave it out.' },
    'multi-arch': { value: true, reason: 'platforms are named', instead: 'Use --platform, or leave it out for all.' },
    'dest-tls-verify': { value: true, reason: 'it is one option for both sides', instead: 'Use --insecure.' },
    'src-tls-verify': { value: true, reason: 'it is one option for both sides', instead: 'Use --insecure.' },
  },
  examples: [
    { line: 'lading copy docker://debian:12 oci:images:debian', does: 'From a registry into a folder' },
    { line: "lading copy --tags '1.*' docker://me/app docker://ghcr.io/me/app", does: 'Tags to another registry' },
    { line: 'lading copy store:app:1.0 docker-archive:app.tar:app:1.0', does: 'From the store into a file' },
  ],
  async run(args, context) {
    const { stdout, cwd } = context;
    const plan = planOf(args);
    const [source, destination] = [locationText(args.source, cwd), locationText(args.destination, cwd)];
    await withPlaces(args, context, async places => {
      const options = {
        ...places,
        platforms: platformList(args.platform),
        referrers: args.referrers,
        foreignLayers: args.allowNondistributableArtifacts,
        dryRun: args.dryRun,
        onEvent: plan?.add ?? places.onEvent,
      };
      if (args.allTags || args.tags !== undefined) {
        const tags = args.allTags ? undefined : args.tags;
        for await (const { tag, descriptor } of copyTags(source, destination, { ...options, tags })) {
          if (plan === undefined) stdout.write(`${tag} ${descriptor.digest}\n`);
        }
      } else {
        const { digest } = await copyBetween(source, destination, options);
        if (plan === undefined) stdout.write(`${digest}\n`);
      }
    });
    if (plan !== undefined) stdout.write(plan.format());
  },
});
