import { chooseSandbox, type Sandbox, type SandboxName, type Store, trialMemory } from '../src/index.js';
import type { CliContext } from './context.js';

/** What runs a container. Asked for before anything is made: the program may have to start itself anew for it. */
export async function containerSandbox(
  store: Store,
  { sandbox }: { readonly sandbox: SandboxName },
  { env, again }: CliContext,
): Promise<Sandbox> {
  return await chooseSandbox({
    name: sandbox,
    path: env['PATH'],
    scratch: await store.workFolder(),
    mayEnter: again !== undefined,
    memory: trialMemory(store),
  });
}
