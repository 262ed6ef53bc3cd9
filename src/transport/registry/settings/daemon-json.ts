import path from 'node:path';
import * as z from 'zod/mini';
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
 * `insecure-registries` may be spoken to without TLS; networks among them are left alone. The file of a daemon without
 * privilege comes before that of the machine.
 * @throws LadingError IO, INVALID_DOCUMENT
 */
export async function daemonJsonRule(
  registry: string,
  { env, etc }: RegistriesConfOptions,
): Promise<RegistryRule | undefined> {
  for (const folder of [configFolder(env), etc].filter(folder => folder !== undefined)) {
    const file = path.join(folder, 'docker', 'daemon.json');
    const text = await readSettings(file);
    if (text !== undefined) return ruleOf(registry, file, parseSettings(text, fileSchema, file, JSON.parse));
  }
  return undefined;
}

function ruleOf(registry: string, file: string, content: z.infer<typeof fileSchema>): RegistryRule | undefined {
  const written = content['insecure-registries'] ?? [];
  const isInsecure = (host: string): true | undefined => written.includes(host) || undefined;
  const mirrors = registry === 'docker.io' ? (content['registry-mirrors'] ?? []) : [];
  if (mirrors.length === 0 && !isInsecure(registry)) return undefined;
  return {
    prefix: registry,
    origin: { insecure: isInsecure(registry) },
    mirrors: mirrors.map((address): MirrorRule => {
      if (!URL.canParse(address) || !/^https?:/.test(address)) {
        throw invalidSettings(file, 'registry-mirrors: names something that is no address');
      }
      const { protocol, host, pathname } = new URL(address);
      const scheme = protocol === 'http:' ? 'http' : 'https';
      const at = pathname.replace(/\/+$/, '');
      // Docker itself takes no path here; one that is written can only be meant to be before the API.
      const apiRoot = at === '' || at === '/v2' ? undefined : `${at}/v2/`;
      return { location: host, scheme, insecure: isInsecure(host), apiRoot, tags: true, digests: true };
    }),
    source: file,
  };
}
