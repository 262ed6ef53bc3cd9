import { resolve } from 'node:path';
import type { Options } from 'yargs';
import {
  type ContainerVolume,
  isUserNetwork,
  outwardAddress,
  type ProcessNetwork,
  type ProcessOptions,
  parseHost,
  parseLimit,
  parsePublish,
  parseSize,
  processNetworks,
} from '../src/index.js';
import type { CliContext } from './context.js';
import { UsageError } from './usage-error.js';

const severally = { type: 'string', array: true, requiresArg: true } as const;

/** What the process of a container is given. */
export const processOptions = {
  entrypoint: { type: 'string', requiresArg: true, describe: 'Program, instead of what the image says' },
  env: { alias: 'e', ...severally, describe: 'NAME=VALUE; NAME alone takes it from the environment' },
  workdir: { alias: 'w', type: 'string', requiresArg: true, describe: 'Folder to run in' },
  user: { alias: 'u', type: 'string', requiresArg: true, describe: 'USER[:GROUP], by name or number' },
  volume: { alias: 'v', ...severally, describe: 'PATH:TARGET[:ro], a file or folder of this machine' },
  tmpfs: { ...severally, describe: 'TARGET[:size=SIZE], an empty file system' },
  hostname: { type: 'string', requiresArg: true, describe: 'Name of the machine that it sees' },
  network: {
    alias: 'net',
    choices: processNetworks,
    requiresArg: true,
    describe: 'Network of the process: that of this machine, none, or one of its own',
  },
  publish: { alias: 'p', ...severally, describe: '[[ADDRESS:]HOST-PORT:]PORT[/tcp|udp] to be reached at this machine' },
  'publish-all': { alias: 'P', type: 'boolean', describe: 'All ports that the image says, at ports that are free' },
  'add-host': { ...severally, describe: 'HOST:ADDRESS for /etc/hosts; host-gateway is this machine' },
  'shm-size': { type: 'string', requiresArg: true, describe: 'Size of /dev/shm [default: 64m]' },
  ulimit: { ...severally, describe: 'Limit: NAME=SOFT[:HARD]' },
  'read-only': { type: 'boolean', describe: 'Let it change nothing but volumes' },
  privileged: { type: 'boolean', describe: 'Let it have all capabilities that there are' },
} as const satisfies Readonly<Record<string, Options>>;

interface ProcessArguments {
  readonly entrypoint?: string | undefined;
  readonly env?: readonly string[] | undefined;
  readonly workdir?: string | undefined;
  readonly user?: string | undefined;
  readonly volume?: readonly string[] | undefined;
  readonly tmpfs?: readonly string[] | undefined;
  readonly hostname?: string | undefined;
  readonly network?: ProcessNetwork | undefined;
  readonly publish?: readonly string[] | undefined;
  readonly publishAll?: boolean | undefined;
  readonly addHost?: readonly string[] | undefined;
  readonly shmSize?: string | undefined;
  readonly ulimit?: readonly string[] | undefined;
  readonly readOnly?: boolean | undefined;
  readonly privileged?: boolean | undefined;
}

/** @throws LadingError USAGE; UsageError */
export function processOf(args: ProcessArguments, words: readonly string[], context: CliContext): ProcessOptions {
  const { network = 'default', publish = [], publishAll = false } = args;
  const ownNetwork = isUserNetwork(network) || publish.length > 0 || publishAll;
  return {
    args: words,
    entrypoint: args.entrypoint === undefined ? undefined : [args.entrypoint],
    env: args.env?.flatMap(text => variable(text, context)),
    cwd: args.workdir,
    user: args.user,
    volumes: args.volume?.map(text => volume(text, context)),
    tmpfs: args.tmpfs?.map(tmpfs),
    hostname: args.hostname,
    network: args.network,
    publish: args.publish?.flatMap(parsePublish),
    publishAll: args.publishAll,
    extraHosts: args.addHost?.map(text => parseHost(text, ownNetwork ? outwardAddress() : undefined)),
    shmSizeBytes: args.shmSize === undefined ? undefined : parseSize(args.shmSize, 'shm-size'),
    limits: args.ulimit?.map(parseLimit),
    readOnly: args.readOnly,
    privileged: args.privileged,
  };
}

function variable(text: string, { env }: CliContext): string[] {
  if (/^[^=]+=/.test(text)) return [text];
  if (text === '' || text.startsWith('=')) throw new UsageError(`--env ${JSON.stringify(text)}: the name is missing`);
  const value = env[text];
  return value === undefined ? [] : [`${text}=${value}`];
}

function volume(text: string, { cwd }: CliContext): ContainerVolume {
  const [source = '', target = '', mode, ...rest] = text.split(':');
  const form = 'Write PATH:TARGET or PATH:TARGET:ro, with an absolute TARGET.';
  if (source === '' || !target.startsWith('/') || rest.length > 0) throw new UsageError(`not a volume: ${text}`, form);
  const flags = (mode ?? '').split(',').filter(flag => flag !== '');
  const unknown = flags.find(flag => !['ro', 'rw', 'z', 'Z'].includes(flag));
  if (unknown !== undefined) throw new UsageError(`not a volume: ${text}: there is no ${unknown}`, form);
  if (!/^[./~]/.test(source)) {
    throw new UsageError(
      `volumes with a name are not supported: ${source}`,
      `Use a folder of this machine: ./${source}:${target}.`,
      'UNSUPPORTED',
    );
  }
  return { source: resolve(cwd, source), target, readOnly: flags.includes('ro') };
}

function tmpfs(text: string): { readonly target: string; readonly sizeBytes?: number | undefined } {
  const [target = '', options = ''] = text.split(':');
  if (!target.startsWith('/')) throw new UsageError(`not a place for a file system: ${text}`, 'Give an absolute path.');
  const size = /(?:^|,)size=([^,]+)/.exec(options)?.[1];
  return size === undefined ? { target } : { target, sizeBytes: parseSize(size, 'tmpfs') };
}
