import type { Options, PositionalOptions } from 'yargs';
import type { UnsupportedOption } from './command.js';

export const jsonOption = {
  json: { type: 'boolean', describe: 'Print JSON' },
} as const satisfies Readonly<Record<string, Options>>;

export const quietOption = {
  quiet: { alias: 'q', type: 'boolean', describe: 'Show no progress' },
} as const satisfies Readonly<Record<string, Options>>;

export const imagePlace = {
  image: {
    type: 'string',
    demandOption: true,
    describe: 'Name in a registry, or store:NAME, oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE',
  },
} as const satisfies Readonly<Record<string, PositionalOptions>>;

export const onePlatform = {
  platform: { type: 'string', requiresArg: true, describe: 'Of an image of several platforms this one' },
} as const satisfies Readonly<Record<string, Options>>;

/** What commands that move images take. */
export const moveOptions = {
  'dry-run': { type: 'boolean', describe: 'Only print what would be moved' },
  json: { type: 'boolean', describe: 'Print JSON, with --dry-run' },
  'allow-nondistributable-artifacts': {
    type: 'boolean',
    describe: 'Also move layers whose licence keeps them where they are',
  },
} as const satisfies Readonly<Record<string, Options>>;

export const platformsOption = {
  platform: {
    type: 'string',
    array: true,
    requiresArg: true,
    describe: 'Platform os/arch[/variant], several with commas or given again',
  },
} as const satisfies Readonly<Record<string, Options>>;

/** `--platform a,b --platform c`, or nothing. */
export function platformList(written: readonly string[] | undefined): string[] | undefined {
  const platforms = (written ?? []).flatMap(text => text.split(',')).map(text => text.trim());
  return platforms.length === 0 ? undefined : platforms;
}

export const templateOption = {
  format: { value: true, reason: 'there are no templates', instead: 'Use --json, and jq or the like on its output.' },
} as const satisfies Readonly<Record<string, UnsupportedOption>>;
