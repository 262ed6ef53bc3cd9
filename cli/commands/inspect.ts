import { hostPlatform, inspectImage } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { imageName } from '../image-name.js';
import { isLocation, locationText } from '../location-text.js';
import { registryAccess, registryOptions } from '../registry-options.js';
import { formatInspection } from '../render/inspection.js';
import { formatJson } from '../render/json.js';
import { printableLine } from '../render/printable.js';
import { jsonOption, templateOption } from '../shared-options.js';
import { withStore } from '../store-session.js';

export const command = defineCommand({
  positionals: {
    image: {
      type: 'string',
      demandOption: true,
      describe: 'Name or digest in the store, or docker://NAME, oci:DIR ...',
    },
  },
  options: {
    verify: { type: 'boolean', describe: 'Read every byte and check all that an image must fulfil' },
    platform: { type: 'string', requiresArg: true, describe: 'Which image of several platforms' },
    ...registryOptions,
    ...jsonOption,
  },
  unsupported: {
    ...templateOption,
    size: { value: false, reason: 'sizes are always shown', instead: 'Leave it out.' },
    type: { value: true, reason: 'there are images only', instead: 'Leave it out.' },
  },
  examples: [
    { line: 'lading inspect app:1.0', does: 'For people' },
    { line: 'lading inspect --json docker://debian:12', does: 'In its registry, for programs' },
    { line: 'lading inspect --verify oci:folder', does: 'Exit code 1 when the image is not sound' },
  ],
  async run(args, context) {
    const { signal, arch, stdout, stderr, cwd } = context;
    const inspection = await withStore(args, context, async store => {
      const place = isLocation(args.image) ? locationText(args.image, cwd) : await imageName(store, args.image);
      const warn = (message: string): void => void stderr.write(`warning: ${printableLine(message)}\n`);
      const { platform, verify } = args;
      const registry = registryAccess(args, context, warn);
      return await inspectImage(place, { store, host: hostPlatform(arch), platform, verify, registry, signal });
    });
    const shown = { ...inspection, name: args.image };
    stdout.write(args.json ? formatJson(shown) : formatInspection(shown, args.verify ?? false));
  },
});
