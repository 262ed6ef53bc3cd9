import { isDigest, isLadingError, removeImages, type Store } from '../../src/index.js';
import { defineCommand } from '../command.js';
import type { CliContext } from '../context.js';
import { imageName } from '../image-name.js';
import { printableLine } from '../render/printable.js';
import { shownName } from '../render/shown-name.js';
import { withStore } from '../store-session.js';

export const command = defineCommand({
  positionals: {
    image: { type: 'string', array: true, demandOption: true, describe: 'Names, or digests to take all their names' },
  },
  options: {
    force: { alias: 'f', type: 'boolean', describe: 'What is not there is no error' },
  },
  unsupported: {
    'no-prune': { value: false, reason: 'names go and nothing else', instead: 'Leave it out; "lading prune" deletes.' },
  },
  examples: [
    { line: 'lading rmi app:1.0 app:latest', does: 'Take two names away' },
    { line: 'lading rmi app:1.0 && lading prune', does: 'And delete what that leaves behind' },
  ],
  async run(args, context) {
    await withStore(args, context, async store => {
      const names = await Promise.all(args.image.map(text => imageName(store, text)));
      const wanted = args.force ? await thereOf(store, names, context) : names;
      for (const { name } of await removeImages(store, wanted, { signal: context.signal })) {
        context.stdout.write(`removed ${printableLine(isDigest(name) ? name : shownName(name))}\n`);
      }
    });
  },
});

async function thereOf(store: Store, names: readonly string[], { signal }: CliContext): Promise<string[]> {
  const there: string[] = [];
  for (const name of names) {
    try {
      await store.resolve(name, { signal });
      there.push(name);
    } catch (error) {
      if (!isLadingError(error, 'REFERENCE_NOT_FOUND')) throw error;
    }
  }
  return there;
}
