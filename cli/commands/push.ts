import { pushImage, pushPart } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { registryAccess, registryOptions } from '../registry-options.js';
import { namedDigest } from '../render/named-digest.js';
import { withProgress } from '../render/progress.js';
import { planOf } from '../render/transfer-plan.js';
import { moveOptions, quietOption } from '../shared-options.js';
import { withStore } from '../store-session.js';
import { transferOptions } from '../transfer-options.js';

export const command = defineCommand({
  positionals: {
    image: { type: 'string', demandOption: true, describe: 'Name in the store' },
    destination: { type: 'string', describe: 'Name in the registry, when it is another one' },
  },
  options: {
    part: {
      type: 'string',
      conflicts: 'dry-run',
      requiresArg: true,
      describe: 'Push as part of an index that "lading index merge --part" makes; a name for all its parts',
    },
    ...registryOptions,
    ...transferOptions,
    ...moveOptions,
    ...quietOption,
  },
  unsupported: {
    'all-tags': { value: false, reason: 'one name is pushed at a time', instead: 'Push each name that is needed.' },
    platform: {
      value: true,
      reason: 'what the name means is pushed whole',
      instead: 'Use lading copy --platform OS/ARCH store:NAME docker://NAME.',
    },
    'disable-content-trust': { value: false, reason: 'there is no Notary here', instead: 'Leave it out.' },
  },
  examples: [
    { line: 'lading push ghcr.io/me/team/app:1.0', does: 'To the registry in its name' },
    { line: 'lading push app:1.0 ghcr.io/me/team/app:1.0', does: 'Under another name' },
  ],
  async run(args, context) {
    const { signal, stdout } = context;
    const plan = planOf(args);
    await withStore(args, context, store =>
      withProgress(args.quiet ? 'quiet' : args.progress, context, async progress => {
        const options = {
          destination: args.destination,
          registry: registryAccess(args, context, progress.warning),
          foreignLayers: args.allowNondistributableArtifacts,
          dryRun: args.dryRun,
          onEvent: plan?.add ?? progress.transfer,
          signal,
        };
        if (args.part !== undefined) {
          const { name, descriptor } = await pushPart(store, args.image, { ...options, part: args.part });
          return namedDigest(name, descriptor.digest);
        }
        const descriptor = await pushImage(store, args.image, options);
        return namedDigest(args.destination ?? args.image, descriptor.digest);
      }),
    ).then(result => stdout.write(plan?.format() ?? `${result}\n`));
  },
});
