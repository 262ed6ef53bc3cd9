import { type CopyBetweenOptions, hostPlatform, type Store } from '../src/index.js';
import type { CliContext } from './context.js';
import type { GlobalArguments } from './global-options.js';
import { registryAccess } from './registry-options.js';
import { withProgress } from './render/progress.js';
import { withStore } from './store-session.js';

/** Work on images at any place, with progress, for as long as `use` runs. */
export async function withPlaces<T>(
  args: GlobalArguments & { readonly insecure?: boolean | undefined; readonly quiet?: boolean | undefined },
  context: CliContext,
  use: (options: CopyBetweenOptions, store: Store) => Promise<T>,
): Promise<T> {
  return await withStore(args, context, store =>
    withProgress(args.quiet ? 'quiet' : args.progress, context, progress =>
      use(
        {
          store,
          host: hostPlatform(context.arch),
          registry: registryAccess(args, context, progress.warning),
          onEvent: progress.transfer,
          signal: context.signal,
        },
        store,
      ),
    ),
  );
}
