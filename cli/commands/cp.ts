import { resolve } from 'node:path';
import { archiveFromContainer, copyFromContainer, copyToContainer } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { entering } from '../entering.js';
import { withStore } from '../store-session.js';
import { UsageError } from '../usage-error.js';

export const command = defineCommand({
  positionals: {
    source: { type: 'string', demandOption: true, describe: 'PATH, or CONTAINER:PATH' },
    destination: { type: 'string', demandOption: true, describe: 'CONTAINER:PATH, or PATH, or - for a tar' },
  },
  options: { 'follow-link': { alias: 'L', type: 'boolean', describe: 'Copy what a link leads to, not the link' } },
  unsupported: {
    archive: { value: false, reason: 'owners are root in containers, and yours outside', instead: 'Leave it out.' },
  },
  examples: [
    { line: 'lading cp edit:/etc/hosts .', does: 'Out of a container that does not run' },
    { line: 'lading cp site/. edit:/srv/www', does: 'Into it: what is in the folder' },
  ],
  async run(args, context) {
    const { cwd, stdout, signal } = context;
    const from = inContainer(args.source);
    const to = inContainer(args.destination);
    await withStore(args, context, async store => {
      if (from !== undefined && to === undefined) {
        const options = { store, follow: args.followLink, ...entering(context), signal };
        if (args.destination === '-') await archiveFromContainer(from.container, from.path, stdout, options);
        else await copyFromContainer(from.container, from.path, resolve(cwd, args.destination), options);
      } else if (to !== undefined && from === undefined) {
        // What is said of a folder by /. at its end must not get lost.
        const contents = /(?:^|\/)\.$/.test(args.source) ? '/.' : '';
        await copyToContainer(resolve(cwd, args.source) + contents, to.container, to.path, {
          store,
          ...entering(context),
          signal,
        });
      } else {
        throw new UsageError('one of the two is in a container', 'Write CONTAINER:PATH for that one.');
      }
    });
  },
});

/** A path with a folder before the colon is one of this machine. */
function inContainer(text: string): { readonly container: string; readonly path: string } | undefined {
  const colon = text.indexOf(':');
  if (colon <= 0 || /[/\\]/.test(text.slice(0, colon)) || text.startsWith('.')) return undefined;
  return { container: text.slice(0, colon), path: text.slice(colon + 1) || '/' };
}
