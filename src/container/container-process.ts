import { LadingError } from '../errors/errors.js';
import type { ContainerConfig, ImageConfig } from '../oci/config.js';
import type { ProcessNetwork } from '../sandbox/sandbox.js';
import { isUserNetwork } from '../sandbox/user-network.js';
import type { ContainerProcess } from './container.js';
import { exposedPorts, type PublishRequest } from './publish.js';

/** What is asked for, instead of what the image says. */
export interface ProcessOptions extends Partial<Omit<ContainerProcess, 'argv' | 'env'>> {
  readonly args?: readonly string[] | undefined;
  /** `[]` and `['']` leave the image's own out. */
  readonly entrypoint?: readonly string[] | undefined;
  readonly env?: readonly string[] | undefined;
  /** All ports that the image says, too, at free ports of this machine. */
  readonly publishAll?: boolean | undefined;
}

const defaultPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The process of a container, by the rules of `docker run`: arguments take the place of CMD, and an entry point that is
 * given the place of both.
 * @throws LadingError USAGE when there is nothing to run
 */
export function containerProcess(image: ImageConfig, options: ProcessOptions, id: string): ContainerProcess {
  const { config = {} } = image;
  const publish = [...(options.publish ?? []), ...(options.publishAll ? exposedPorts(config) : [])];
  requireOwnNetwork(options.network, publish);
  return {
    argv: argvOf(config, options),
    env: environment(config, options),
    cwd: options.cwd || config.WorkingDir || '/',
    user: options.user ?? config.User ?? '',
    hostname: options.hostname || id.slice(0, 12),
    network:
      (options.network ?? 'default') === 'default' && publish.length > 0 ? 'bridge' : (options.network ?? 'default'),
    publish,
    extraHosts: options.extraHosts ?? [],
    volumes: options.volumes ?? [],
    tmpfs: options.tmpfs ?? [],
    shmSizeBytes: options.shmSizeBytes,
    limits: options.limits ?? [],
    readOnly: options.readOnly ?? false,
    privileged: options.privileged ?? false,
  };
}

/** @throws LadingError USAGE */
function requireOwnNetwork(network: ProcessNetwork | undefined, publish: readonly PublishRequest[]): void {
  if (publish.length === 0 || network === undefined || network === 'default' || isUserNetwork(network)) return;
  throw new LadingError('USAGE', `ports cannot be published with --network ${network}`, {
    details: { option: 'publish' },
    hint:
      network === 'host'
        ? 'Leave out --publish: what the process listens on can be reached.'
        : 'Leave out --network: the process then has a network of its own, for its ports.',
  });
}

function argvOf(config: ContainerConfig, { args = [], entrypoint }: ProcessOptions): string[] {
  const given = entrypoint?.filter(word => word !== '');
  const first = given ?? config.Entrypoint ?? [];
  const rest = args.length > 0 ? args : given === undefined ? (config.Cmd ?? []) : [];
  const argv = [...first, ...rest];
  if (argv.length > 0) return argv;
  throw new LadingError('USAGE', 'the image does not say what to run', {
    details: {},
    hint: 'Give a command behind the name of the image.',
  });
}

/** Later ones replace earlier ones. */
function environment({ Env = [] }: ContainerConfig, { env = [] }: ProcessOptions): string[] {
  const values = new Map<string, string>();
  for (const entry of [defaultPath, ...Env, ...env]) values.set(entry.split('=', 1)[0]!, entry);
  return [...values.values()];
}
