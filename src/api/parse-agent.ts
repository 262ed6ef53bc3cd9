import { LadingError } from '../errors/errors.js';
import type { BuildAgent } from './build-agents.js';

/**
 * Parses `default` or `ID[=PATH,PATH…]` into the entry of a build's `agents`: sockets of agents or files with private keys.
 * Without a path it is the agent that SSH_AUTH_SOCK names.
 * @throws LadingError USAGE
 */
export function parseAgent(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
): [id: string, agent: BuildAgent] {
  const equals = text.indexOf('=');
  const id = equals < 0 ? text : text.slice(0, equals);
  const paths = equals < 0 ? [] : text.slice(equals + 1).split(',');
  if (id === '' || paths.some(path => path === '')) {
    throw usage(`--ssh ${text}: it cannot be read`, 'Write --ssh default, or --ssh ID=SOCKET or --ssh ID=KEY,KEY.');
  }
  if (paths.length > 0) return [id, { paths }];
  const socket = env['SSH_AUTH_SOCK'];
  if (socket) return [id, { paths: [socket] }];
  throw usage(`--ssh ${id}: there is no agent: SSH_AUTH_SOCK is not set`, 'Start one, or write --ssh ID=KEY.');
}

function usage(message: string, hint: string): LadingError<'USAGE'> {
  return new LadingError('USAGE', message, { details: { option: 'ssh' }, hint });
}
