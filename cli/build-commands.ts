import type { Options } from 'yargs';
import {
  type BuildImageOptions,
  parseAgent,
  parseHost,
  parseLimit,
  parseSize,
  type SandboxName,
  sandboxNames,
} from '../src/index.js';
import type { CliContext } from './context.js';

const severally = { type: 'string', array: true, requiresArg: true } as const;

/** Options of a build that are about what RUN executes. */
export const commandOptions = {
  sandbox: {
    choices: sandboxNames,
    requiresArg: true,
    describe: 'How RUN is executed; see "lading doctor" [default: auto, the best that this machine allows]',
  },
  network: {
    choices: ['default', 'none', 'host'] as const,
    requiresArg: true,
    describe: 'Network of RUN, whatever it says itself',
  },
  ssh: { ...severally, describe: 'Agent for RUN --mount=type=ssh: default, or ID=SOCKET, or ID=KEY,KEY' },
  'add-host': { ...severally, describe: 'HOST:ADDRESS for /etc/hosts of RUN; host-gateway is this machine' },
  'shm-size': { type: 'string', requiresArg: true, describe: 'Size of /dev/shm of RUN [default: 64m]' },
  ulimit: { ...severally, describe: 'Limit for RUN: NAME=SOFT[:HARD]' },
  'keep-failed': { type: 'boolean', describe: 'Keep what a RUN that fails leaves, for "lading debug"' },
  'debug-shell': { type: 'boolean', describe: 'Open a shell where a RUN has failed' },
  'strict-ownership': { type: 'boolean', describe: 'Fail where it is not known whom files of RUN belong to' },
} as const satisfies Readonly<Record<string, Options>>;

interface CommandArguments {
  readonly sandbox?: SandboxName | undefined;
  readonly network?: 'default' | 'none' | 'host' | undefined;
  readonly ssh?: readonly string[] | undefined;
  readonly addHost?: readonly string[] | undefined;
  readonly shmSize?: string | undefined;
  readonly ulimit?: readonly string[] | undefined;
  readonly keepFailed?: boolean | undefined;
  readonly debugShell?: boolean | undefined;
  readonly strictOwnership?: boolean | undefined;
  readonly allow?: readonly string[] | undefined;
}

/** @throws LadingError USAGE */
export function buildCommands(args: CommandArguments, { env, again }: CliContext): Partial<BuildImageOptions> {
  const allowed = (args.allow ?? []).flatMap(text => text.split(','));
  // As with Docker, 0 is the usual size, and `default` what commands say themselves.
  const shmSizeBytes = args.shmSize === undefined ? 0 : parseSize(args.shmSize, 'shm-size');
  return {
    sandbox: args.sandbox,
    mayEnter: again !== undefined,
    network: args.network === 'default' ? undefined : args.network,
    agents: Object.fromEntries((args.ssh ?? []).map(text => parseAgent(text, env))),
    extraHosts: args.addHost?.map(text => parseHost(text)),
    shmSizeBytes: shmSizeBytes === 0 ? undefined : shmSizeBytes,
    limits: args.ulimit?.map(parseLimit),
    keepFailed: args.keepFailed,
    debugShell: args.debugShell,
    strictOwnership: args.strictOwnership,
    entitlements: (['network.host', 'security.insecure'] as const).filter(name =>
      // Who asks for the network of this machine for all commands allows it to each of them.
      name === 'network.host' ? allowed.includes(name) || args.network === 'host' : allowed.includes(name),
    ),
  };
}
