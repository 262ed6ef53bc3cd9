import { setTimeout as sleep } from 'node:timers/promises';
import { findContainer, LadingError, type Store } from '../src/index.js';
import type { CliContext } from './context.js';
import { type GlobalArguments, storeRoot } from './global-options.js';

const pollMs = 50;
const limitMs = 30_000;

/** Lets a container run by itself, in a process of its own, and waits until it does, or has not been able to. */
export async function detached(
  store: Store,
  id: string,
  args: GlobalArguments & { readonly sandbox: string },
  context: CliContext,
): Promise<void> {
  const begun = context.now();
  context.startApart(['start', '--attach', '--sandbox', args.sandbox, '--root', storeRoot(args, context), id]);
  for (let waited = 0; waited < limitMs; waited += pollMs) {
    const { startedMs = 0, status, keeper, failure } = await findContainer(id, { store });
    if (failure !== undefined && failure.timeMs >= begun) throw notStarted(id, failure.message, failure.hint);
    if (startedMs >= begun && (status !== 'running' || keeper !== undefined)) return;
    await sleep(pollMs, undefined, { signal: context.signal });
  }
  throw notStarted(id, 'a sign of life', `See why: lading start --attach ${id.slice(0, 12)}`);
}

function notStarted(id: string, missing: string, hint: string | undefined): LadingError {
  const start = { line: 1, column: 1 };
  return new LadingError('RUN_UNAVAILABLE', `${id.slice(0, 12)} did not start: ${missing}`, {
    details: { range: { file: id, start, end: start }, missing },
    hint,
  });
}
