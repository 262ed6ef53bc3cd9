import type { Options } from 'yargs';
import { UsageError } from './usage-error.js';

/** What commands that move images take, beside what all take that speak to registries. */
export const transferOptions = {
  timeout: { type: 'string', requiresArg: true, describe: 'Give up after this time in all: 90s, 10m, 1h30m' },
  retry: { type: 'number', requiresArg: true, describe: 'How often a request is tried again [default: 4]' },
  connections: {
    type: 'number',
    requiresArg: true,
    describe: 'Blobs on their way at a time, from one registry and to one [default: 8]',
  },
  'parallel-ranges': {
    type: 'number',
    requiresArg: true,
    describe: 'Ranges of one blob of 64 MiB or more that are fetched at a time [default: 1]',
  },
} as const satisfies Readonly<Record<string, Options>>;

/** What commands take that read images from registries. */
export const foreignLayerOptions = {
  'foreign-layers': {
    type: 'boolean',
    describe: 'Fetch layers that are kept elsewhere from the addresses in the manifest',
  },
  'foreign-layer-host': {
    type: 'string',
    array: true,
    requiresArg: true,
    describe: 'The same, also from a host in a network of your own: HOST[:PORT], http://HOST[:PORT]',
  },
} as const satisfies Readonly<Record<string, Options>>;

export interface TransferArguments {
  readonly foreignLayers?: boolean | undefined;
  readonly foreignLayerHost?: readonly string[] | undefined;
  readonly retry?: number | undefined;
  readonly connections?: number | undefined;
  readonly parallelRanges?: number | undefined;
}

/** The same for the library. @throws UsageError */
export function transferSettings({ foreignLayers, foreignLayerHost: hosts, ...args }: TransferArguments) {
  const { retry, connections, parallelRanges } = args;
  return {
    foreignLayers: foreignLayers || hosts !== undefined ? { hosts } : undefined,
    retries: within('--retry', retry, 0, 100),
    connections: within('--connections', connections, 1, 100),
    parallelRanges: within('--parallel-ranges', parallelRanges, 1, 32),
  };
}

function within(option: string, value: number | undefined, least: number, most: number): number | undefined {
  if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return value;
  throw new UsageError(`${option} is a whole number from ${least} to ${most}`);
}
