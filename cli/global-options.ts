import { join, resolve } from 'node:path';
import type { InferredOptionTypes, Options } from 'yargs';
import type { CliContext } from './context.js';

/** The last two are other names that docker buildx has for `quiet` and `json`. */
export const progressModes = ['auto', 'plain', 'tty', 'quiet', 'json', 'none', 'rawjson'] as const;
export type ProgressMode = (typeof progressModes)[number];

/** What every command takes, before or after its name. */
export const globalOptions = {
  root: {
    type: 'string',
    requiresArg: true,
    describe: 'Folder of the store [default: $LADING_ROOT, else $XDG_DATA_HOME/lading, else ~/.local/share/lading]',
  },
  progress: {
    choices: progressModes,
    default: 'auto',
    requiresArg: true,
    describe: 'How progress is shown',
  },
  debug: { type: 'boolean', describe: 'Show stack traces of errors' },
  help: { alias: 'h', type: 'boolean', describe: 'Show this help' },
} as const satisfies Readonly<Record<string, Options>>;

export type GlobalArguments = InferredOptionTypes<typeof globalOptions>;

/** The folder of the store. */
export function storeRoot(args: { readonly root?: string | undefined }, { env, cwd, home }: CliContext): string {
  const data = env['XDG_DATA_HOME'];
  // The XDG specification has relative paths ignored.
  const folder = data?.startsWith('/') ? data : join(home, '.local', 'share');
  return resolve(cwd, args.root || env['LADING_ROOT'] || join(folder, 'lading'));
}
