import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import path from 'node:path';
import * as z from 'zod/mini';
import { inNetwork, parseNetwork } from '../../http/network.js';
import { configFolder } from '../config-folder.js';
import type { RegistriesConfOptions } from './registries-conf.js';
import { invalidSettings, type MirrorRule, type RegistryRule } from './rule.js';
import { parseSettings, readSettings } from './settings-file.js';

const fileSchema = z.looseObject({
  'registry-mirrors': z.optional(z.array(z.string())),
  'insecure-registries': z.optional(z.array(z.string())),
});

/**
 * What the settings of Docker's daemon say of a registry: `registry-mirrors` are mirrors of Docker Hub, and
 * `insecure-registries`, hosts and networks, may be spoken to without TLS. The file of a daemon without privilege comes before
 * that of the machine. `offline`: no name is looked up, so that only addresses are in networks.
 * @throws LadingError IO, INVALID_DOCUMENT
 */
export async function daemonJsonRule(
  registry: string,
  { env, etc, offline = false }: RegistriesConfOptions & { readonly offline?: boolean | undefined },
): Promise<RegistryRule | undefined> {
  for (const folder of [configFolder(env), etc].filter(folder => folder !== undefined)) {
    const file = path.join(folder, 'docker', 'daemon.json');
    const text = await readSettings(file);
    if (text !== undefined)
      return await ruleOf(registry, file, parseSettings(text, fileSchema, file, JSON.parse), offline);
  }
  return undefined;
}

async function ruleOf(
  registry: string,
  file: string,
  content: z.infer<typeof fileSchema>,
  offline: boolean,
): Promise<RegistryRule | undefined> {
  const written = content['insecure-registries'] ?? [];
  const isInsecure = async (host: string): Promise<true | undefined> =>
    written.includes(host) || (await isInNetwork(host, written, offline)) || undefined;
  const addresses = registry === 'docker.io' ? (content['registry-mirrors'] ?? []) : [];
  // Docker Hub itself is in no network, whatever addresses it has.
  const insecure = registry === 'docker.io' ? undefined : await isInsecure(registry);
  if (addresses.length === 0 && !insecure) return undefined;
  const mirrors = addresses.map(async (address): Promise<MirrorRule> => {
    if (!URL.canParse(address) || !/^https?:/.test(address)) {
      throw invalidSettings(file, 'registry-mirrors: names something that is no address');
    }
    const { protocol, host, pathname } = new URL(address);
    const scheme = protocol === 'http:' ? 'http' : 'https';
    const at = pathname.replace(/\/+$/, '');
    // Docker itself takes no path here; one that is written can only be meant to be before the API.
    const apiRoot = at === '' || at === '/v2' ? undefined : `${at}/v2/`;
    return { location: host, scheme, insecure: await isInsecure(host), apiRoot, tags: true, digests: true };
  });
  return { prefix: registry, origin: { insecure }, mirrors: await Promise.all(mirrors), source: file };
}

/** Whether a host is, or has, an address in one of the networks. A name that nobody knows is in none. */
async function isInNetwork(host: string, written: readonly string[], offline: boolean): Promise<boolean> {
  const networks = written.flatMap(entry => parseNetwork(entry) ?? []);
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  if (networks.length === 0 || (offline && isIP(name) === 0)) return false;
  const found = isIP(name) > 0 ? [{ address: name }] : await lookup(name, { all: true }).catch(() => []);
  return networks.some(({ network, prefix }) => found.some(({ address }) => inNetwork(address, network, prefix)));
}
