import { copyBetween, hostPlatform } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { locationText } from '../location-text.js';
import { registryAccess, registryOptions } from '../registry-options.js';
import { withProgress } from '../render/progress.js';
import { platformList, platformsOption, quietOption } from '../shared-options.js';
import { withStore } from '../store-session.js';

const places = 'docker://NAME, store:NAME, oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME]';

export const command = defineCommand({
  positionals: {
    source: { type: 'string', demandOption: true, describe: `From where: ${places}` },
    destination: { type: 'string', demandOption: true, describe: 'To where' },
  },
  options: { ...platformsOption, ...registryOptions, ...quietOption },
  unsupported: {
    all: { value: false, reason: 'all platforms are the default', instead: 'Leave it out.' },
    'multi-arch': { value: true, reason: 'platforms are named', instead: 'Use --platform, or leave it out for all.' },
    'dest-tls-verify': { value: true, reason: 'it is one option for both sides', instead: 'Use --insecure.' },
    'src-tls-verify': { value: true, reason: 'it is one option for both sides', instead: 'Use --insecure.' },
  },
  examples: [
    { line: 'lading copy docker://debian:12 oci:images:debian', does: 'From a registry into a folder' },
    { line: 'lading copy store:app:1.0 docker-archive:app.tar:app:1.0', does: 'From the store into a file' },
  ],
  async run(args, context) {
    const { signal, arch, stdout, cwd } = context;
    const descriptor = await withStore(args, context, store =>
      withProgress(args.quiet ? 'quiet' : args.progress, context, progress =>
        copyBetween(locationText(args.source, cwd), locationText(args.destination, cwd), {
          store,
          host: hostPlatform(arch),
          platforms: platformList(args.platform),
          registry: registryAccess(args, context, progress.warning),
          onEvent: progress.transfer,
          signal,
        }),
      ),
    );
    stdout.write(`${descriptor.digest}\n`);
  },
});
