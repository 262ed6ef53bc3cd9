import path from 'node:path';
import { parse } from 'smol-toml';
import * as z from 'zod/mini';
import { invalidSettings, type MirrorRule, type PlaceRule, type RegistryRule } from './rule.js';
import { parseSettings, readSettings } from './settings-file.js';

const fileNames = z.union([z.string(), z.array(z.string())]);
const hostSchema = z.looseObject({
  capabilities: z.optional(z.array(z.string())),
  ca: z.optional(fileNames),
  client: z.optional(z.union([z.string(), z.array(z.union([z.string(), z.array(z.string())]))])),
  skip_verify: z.optional(z.boolean()),
  override_path: z.optional(z.boolean()),
  header: z.optional(z.record(z.string(), z.unknown())),
});
const fileSchema = z.extend(hostSchema, {
  server: z.optional(z.string()),
  host: z.optional(z.record(z.string(), hostSchema)),
});
type HostTable = z.infer<typeof hostSchema>;

/**
 * What containerd knows of a registry: `hosts.toml` in the folder of the host below `certs.d`, or in `_default`.
 * @throws LadingError IO, INVALID_DOCUMENT, UNSUPPORTED for headers of one's own
 */
export async function hostsTomlRule(registry: string, etc: string): Promise<RegistryRule | undefined> {
  const folder = path.join(etc, 'containerd', 'certs.d');
  const names = /^[A-Za-z0-9[]/.test(registry) ? [registry, `${registry.replace(/:(\d+)$/, '_$1')}_`] : [];
  for (const name of [...names, '_default']) {
    const file = path.join(folder, name, 'hosts.toml');
    const text = await readSettings(file);
    if (text !== undefined) return ruleOf(registry, file, parseSettings(text, fileSchema, file, parse));
  }
  return undefined;
}

function ruleOf(registry: string, file: string, content: z.infer<typeof fileSchema>): RegistryRule {
  let origin: RegistryRule['origin'] = { ...placeOf(content.server ?? registry, content, file) };
  // No server of its own: where the name says.
  if (content.server === undefined) origin = { ...origin, location: undefined };
  const mirrors: MirrorRule[] = [];
  for (const [address, table] of Object.entries(content.host ?? {})) {
    const place = placeOf(address, table, file);
    // A table about the registry itself says how it is asked, rather than who else is.
    if (place.location === (origin.location ?? registry) && place.apiRoot === undefined) {
      origin = { ...origin, ...place, location: origin.location };
      continue;
    }
    const { capabilities = ['pull', 'resolve'] } = table;
    const digests = capabilities.includes('pull');
    mirrors.push({ ...place, namespace: registry, tags: capabilities.includes('resolve'), digests });
  }
  return { prefix: registry, origin, mirrors, source: file };
}

function placeOf(address: string, table: HostTable, file: string): PlaceRule {
  if (table.header !== undefined) {
    throw invalidSettings(file, 'headers of your own are not supported; put credentials where registries have them');
  }
  let url: URL;
  try {
    url = new URL(/^https?:\/\//.test(address) ? address : `https://${address}`);
  } catch {
    throw invalidSettings(file, 'names a host that is not an address');
  }
  const at = url.pathname.replace(/\/+$/, '');
  const apiRoot = table.override_path ? `${at}/` : at === '' || at === '/v2' ? undefined : `${at}/v2/`;
  const beside = (name: string): string => path.resolve(path.dirname(file), name);
  const authorities = table.ca === undefined ? [] : [table.ca].flat();
  return {
    location: url.host,
    scheme: url.protocol === 'http:' ? 'http' : 'https',
    insecure: table.skip_verify,
    authorityFiles: authorities.map(beside),
    client: clientOf(table.client, beside),
    apiRoot,
  };
}

/** A file with both, a list of such, or a list of pairs of certificate and key: the first counts. */
function clientOf(written: HostTable['client'], beside: (name: string) => string): PlaceRule['client'] {
  const first = Array.isArray(written) ? written[0] : written;
  if (first === undefined) return undefined;
  const [certificate, key] = [first].flat();
  if (!certificate) return undefined;
  return { certificate: beside(certificate), key: beside(key || certificate) };
}
