import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Agents } from '../build/inputs.js';
import { LadingError } from '../errors/errors.js';
import { ioError } from '../errors/io-error.js';
import type { CallOptions } from '../stream/bytes.js';
import type { KeyAgent } from './key-agent.js';

/** What signs for a build: the socket of an agent that runs, or files with private keys, or one of each kind of path. */
export interface BuildAgent {
  /** Sockets of agents, or files with keys; relative to the folder of the build's options. */
  readonly paths: readonly string[];
}

export interface BuildAgentsOptions extends CallOptions {
  readonly directory: string;
  /** PATH, to find OpenSSH's programs. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A folder for sockets, made when it is asked for. */
  readonly temporary: () => Promise<string>;
}

export interface OpenedAgents extends Agents {
  /** Ends the agents that were started for the build. */
  close(): Promise<void>;
}

/**
 * The agents of a build, by their ids. A socket is used as it is; for keys an `ssh-agent` of the build's own is started when
 * a command asks for it.
 */
export function buildAgents(given: Readonly<Record<string, BuildAgent>>, options: BuildAgentsOptions): OpenedAgents {
  const started = new Map<string, Promise<KeyAgent>>();
  return {
    async socket(id) {
      const agent = Object.hasOwn(given, id) ? given[id] : undefined;
      if (agent === undefined) return undefined;
      const paths = agent.paths.map(path => resolve(options.directory, path));
      const sockets: string[] = [];
      for (const path of paths) if (await isSocket(path)) sockets.push(path);
      if (sockets.length > 0 && paths.length > 1) {
        throw new LadingError('USAGE', `ssh ${id}: an agent is given alone`, {
          details: { option: 'ssh' },
          hint: 'Give either the socket of an agent, or files with keys.',
        });
      }
      if (sockets.length > 0) return sockets[0]!;
      const known = started.get(id) ?? startAgent(paths, options);
      started.set(id, known);
      return (await known).socket;
    },
    async close() {
      for (const agent of started.values()) await agent.then(({ close }) => close()).catch(() => {});
    },
  };
}

async function startAgent(keys: readonly string[], options: BuildAgentsOptions): Promise<KeyAgent> {
  const { keyAgent } = await import('./key-agent.js');
  return await keyAgent(keys, options);
}

async function isSocket(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isSocket();
  } catch (error) {
    throw ioError(error, path);
  }
}
