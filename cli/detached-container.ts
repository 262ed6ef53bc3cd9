import { setTimeout as sleep } from 'node:timers/promises';
import { findContainer, LadingError, type Store } from '../src/index.js';
import type { CliContext } from './context.js';
import { type GlobalArguments, storeRoot } from './global-options.js';

const pollMs = 50;
const limitMs = 30_000;

/** Lets a container run by itself, in a process of its own, and waits until it does. */
export async function detached(
  store: Store,
  id: string,
  args: GlobalArguments & { readonly sandbox: string },
  context: CliContext,
): Promise<void> {
  context.startApart(['start', '--attach', '--sandbox', args.sandbox, '--root', storeRoot(args, context), id]);
  for (let waited = 0; waited < limitMs; waited += pollMs) {
    const { startedMs } = await findContainer(id, { store });
    if (startedMs !== undefined) return;
    await sleep(pollMs, undefined, { signal: context.signal });
  }
  throw new LadingError('RUN_UNAVAILABLE', `${id.slice(0, 12)} did not start`, {
    details: {
      range: { file: id, start: { line: 1, column: 1 }, end: { line: 1, column: 1 } },
      missing: 'a sign of life',
    },
    hint: `See why: lading start --attach ${id.slice(0, 12)}`,
  });
}
