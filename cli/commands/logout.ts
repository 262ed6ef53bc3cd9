import { logout } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { familiarPath } from '../familiar-path.js';
import { placeName } from '../place-name.js';
import { registryAccess, registryOptions } from '../registry-options.js';
import { printableLine } from '../render/printable.js';

export const command = defineCommand({
  positionals: {
    registry: {
      type: 'string',
      describe: 'Host of the registry, or a part of it as ghcr.io/team [default: docker.io]',
    },
  },
  options: {
    all: { alias: 'a', type: 'boolean', describe: 'Forget all passwords in the file' },
    authfile: registryOptions.authfile,
  },
  examples: [
    { line: 'lading logout ghcr.io', does: 'Forget one' },
    { line: 'lading logout --all', does: 'Forget all' },
  ],
  async run(args, context) {
    const { stdout, stderr, signal } = context;
    const registry = registryAccess(args, context, () => {});
    const name = args.registry ?? 'docker.io';
    const { file, removed, remaining } = await logout(args.all ? { all: true } : name, { registry, signal });
    const shown = familiarPath(file, context);
    if (removed.length === 0)
      stderr.write(`${shown} has nothing ${args.all ? '' : `for ${printableLine(name)} `}to forget\n`);
    for (const key of removed) stdout.write(`removed ${printableLine(key)} from ${shown}\n`);
    if (remaining !== undefined) {
      const place = printableLine(placeName(remaining, context));
      stderr.write(`warning: there are still credentials for ${printableLine(name)} in ${place}\n`);
    }
  },
});
