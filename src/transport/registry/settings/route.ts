import { LadingError } from '../../../errors/errors.js';
import { parseReference, type Reference } from '../../../oci/reference.js';
import { daemonJsonRule } from './daemon-json.js';
import { hostsTomlRule } from './hosts-toml.js';
import { registriesConfRules } from './registries-conf.js';
import { registryConfigRules } from './registry-config.js';
import {
  closestRule,
  invalidSettings,
  type MirrorRule,
  matchLength,
  type PlaceRule,
  type RegistryRule,
} from './rule.js';

/** One place that serves what a name means. */
export interface RegistryPlace {
  /** `HOST[:PORT]`: whose credentials and certificates count. */
  readonly registry: string;
  /** Path inside it. */
  readonly repository: string;
  readonly scheme?: 'http' | 'https' | undefined;
  readonly insecure?: boolean | undefined;
  /** Files with authorities, PEM, beside those in the folders of certificates. */
  readonly authorityFiles: readonly string[];
  /** Files with a certificate to show, and its key. */
  readonly client?: PlaceRule['client'];
  readonly apiRoot?: string | undefined;
  readonly namespace?: string | undefined;
}

export interface Mirror extends RegistryPlace {
  readonly tags: boolean;
  readonly digests: boolean;
}

/** Where the image of a name is, and where it may be read from before. */
export interface Route {
  readonly origin: RegistryPlace;
  readonly mirrors: readonly Mirror[];
}

export interface RouteOptions {
  /** A file of our own form, which has the word before all others. */
  readonly registryConfig?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** `/etc`. */
  readonly etc?: string | undefined;
  /** No name is looked up. */
  readonly offline?: boolean | undefined;
}

/**
 * Finds out where an image is: by our own file, else by `registries.conf`, else by containerd's `hosts.toml`, else by Docker's `daemon.json`, else where
 * its name says.
 * @throws LadingError REGISTRY_BLOCKED, INVALID_DOCUMENT, IO, PATH_NOT_FOUND
 */
export async function findRoute(reference: Reference, options: RouteOptions): Promise<Route> {
  const { registry, repository } = reference;
  const name = `${registry}/${repository}`;
  const rule = await findRule(registry, name, options);
  if (rule === undefined) return { origin: { registry, repository, authorityFiles: [] }, mirrors: [] };
  if (rule.blocked) {
    throw new LadingError('REGISTRY_BLOCKED', `${name} may not be used, says ${rule.source}`, {
      details: { registry, source: rule.source },
      hint: 'Take the image from elsewhere, or change the file.',
    });
  }
  const { location = rule.prefix.startsWith('*.') ? registry : rule.prefix } = rule.origin;
  const mirrors = rule.mirrors.map((mirror: MirrorRule) => {
    const { tags, digests } = mirror;
    return { ...placeOf(mirror, rule, name), tags, digests };
  });
  return { origin: placeOf({ ...rule.origin, location }, rule, name), mirrors };
}

async function findRule(
  registry: string,
  name: string,
  { registryConfig, env = {}, etc, offline }: RouteOptions,
): Promise<RegistryRule | undefined> {
  const own = registryConfig === undefined ? [] : await registryConfigRules(registryConfig);
  return (
    closestRule(own, name) ??
    closestRule(await registriesConfRules({ env, etc }), name) ??
    (etc === undefined ? undefined : await hostsTomlRule(registry, etc)) ??
    (await daemonJsonRule(registry, { env, etc, offline }))
  );
}

function placeOf(written: PlaceRule, rule: RegistryRule, name: string): RegistryPlace {
  const { scheme, insecure, apiRoot, namespace, authorityFiles = [], client } = written;
  const physical = `${written.location}${name.slice(matchLength(rule.prefix, name))}`;
  const slash = physical.indexOf('/');
  const [registry, repository] = [physical.slice(0, slash), physical.slice(slash + 1)];
  if (!isName(registry, repository)) {
    throw invalidSettings(rule.source, `${JSON.stringify(written.location)} is not a place of images`);
  }
  return {
    registry,
    repository,
    scheme,
    insecure,
    apiRoot,
    namespace,
    authorityFiles,
    client,
  };
}

function isName(registry: string, repository: string): boolean {
  try {
    const parsed = parseReference(`${registry}/${repository}`);
    return parsed.registry === registry && parsed.repository === repository;
  } catch {
    return false;
  }
}
