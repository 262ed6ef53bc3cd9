import { hostPlatform, pullImage } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { offlineNote, registryAccess, registryOptions } from '../registry-options.js';
import { namedDigest } from '../render/named-digest.js';
import { withProgress } from '../render/progress.js';
import { platformList, platformsOption, quietOption } from '../shared-options.js';
import { withStore } from '../store-session.js';
import { foreignLayerOptions, transferOptions } from '../transfer-options.js';

export const command = defineCommand({
  positionals: { image: { type: 'string', demandOption: true, describe: 'Name in its registry' } },
  options: {
    ...platformsOption,
    'all-platforms': { type: 'boolean', conflicts: 'platform', describe: 'Take every platform' },
    ...registryOptions,
    ...transferOptions,
    ...foreignLayerOptions,
    ...quietOption,
  },
  unsupported: {
    'all-tags': { value: false, reason: 'one name is pulled at a time', instead: 'Pull each tag that is needed.' },
    'disable-content-trust': { value: false, reason: 'there is no Notary here', instead: 'Leave it out.' },
  },
  examples: [
    { line: 'lading pull debian:12', does: "For this machine's platform" },
    { line: 'lading pull --platform linux/arm64 ghcr.io/owner/app:1.0', does: 'For another one' },
  ],
  async run(args, context) {
    const { signal, arch, stdout } = context;
    const platforms = args.allPlatforms ? 'all' : platformList(args.platform);
    await withStore(args, context, store =>
      withProgress(args.quiet ? 'quiet' : args.progress, context, async progress => {
        if (args.offline) progress.note(offlineNote);
        const descriptor = await pullImage(store, args.image, {
          host: hostPlatform(arch),
          platforms,
          registry: registryAccess(args, context, progress.warning),
          onEvent: progress.transfer,
          signal,
        });
        return namedDigest(args.image, descriptor.digest);
      }),
    ).then(result => stdout.write(`${result}\n`));
  },
});
