import path from 'node:path';
import { parse } from 'smol-toml';
import * as z from 'zod/mini';
import { configFolder } from '../config-folder.js';
import { invalidSettings, type MirrorRule, type RegistryRule } from './rule.js';
import { filesIn, parseSettings, readSettings } from './settings-file.js';

const mirrorSchema = z.looseObject({
  location: z.string().check(z.minLength(1)),
  insecure: z.optional(z.boolean()),
  'pull-from-mirror': z.optional(z.enum(['all', 'digest-only', 'tag-only', ''])),
});

const fileSchema = z.looseObject({
  'credential-helpers': z.optional(z.array(z.string())),
  registry: z.optional(
    z.array(
      z.looseObject({
        prefix: z.optional(z.string()),
        location: z.optional(z.string()),
        insecure: z.optional(z.boolean()),
        blocked: z.optional(z.boolean()),
        'mirror-by-digest-only': z.optional(z.boolean()),
        mirror: z.optional(z.array(mirrorSchema)),
      }),
    ),
  ),
});

export interface RegistriesConfOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `/etc`. */
  readonly etc?: string | undefined;
}

/**
 * The rules of podman and skopeo (`registries.conf`, version 2): the file that CONTAINERS_REGISTRIES_CONF names, else the
 * user's, else the machine's, and what lies in `registries.conf.d` beside the last two. What comes later counts more.
 * Short names and their aliases are left alone: a name means the same here on every machine.
 * @throws LadingError IO, INVALID_DOCUMENT
 */
export async function registriesConfRules(options: RegistriesConfOptions): Promise<readonly RegistryRule[]> {
  return (await readFiles(options)).flatMap(({ file, content }) => rulesOf(file, content));
}

/**
 * The helpers for credentials that the same files name, in the order in which they are asked; of several files the last
 * that names any counts. `containers-auth.json` stands for the files of podman and skopeo.
 * @throws LadingError IO, INVALID_DOCUMENT
 */
export async function registriesConfHelpers(options: RegistriesConfOptions): Promise<readonly string[]> {
  const named = (await readFiles(options)).map(({ content }) => content['credential-helpers'] ?? []);
  return named.findLast(helpers => helpers.length > 0) ?? [];
}

interface ReadFile {
  readonly file: string;
  readonly content: z.infer<typeof fileSchema>;
}

async function readFiles({ env, etc }: RegistriesConfOptions): Promise<readonly ReadFile[]> {
  const own = configFolder(env);
  const folders = [etc, own].filter(folder => folder !== undefined).map(folder => path.join(folder, 'containers'));
  const named = env['CONTAINERS_REGISTRIES_CONF'];
  const main = named ? [named] : folders.toReversed().map(folder => path.join(folder, 'registries.conf'));
  const found: ReadFile[] = [];
  const read = async (file: string): Promise<boolean> => {
    const text = await readSettings(file);
    if (text !== undefined) found.push({ file, content: parseSettings(text, fileSchema, file, parse) });
    return text !== undefined;
  };
  for (const file of main) if (await read(file)) break;
  for (const folder of folders) {
    for (const file of await filesIn(path.join(folder, 'registries.conf.d'), '.conf')) await read(file);
  }
  return found;
}

function rulesOf(file: string, { registry = [] }: ReadFile['content']): readonly RegistryRule[] {
  return registry.map(entry => {
    const prefix = entry.prefix || entry.location;
    if (!prefix) throw invalidSettings(file, 'registry: has neither prefix nor location');
    const digestsOnly = entry['mirror-by-digest-only'] ?? false;
    return {
      prefix,
      origin: { location: entry.location || undefined, insecure: entry.insecure },
      mirrors: (entry.mirror ?? []).map((mirror): MirrorRule => {
        const from = mirror['pull-from-mirror'] || (digestsOnly ? 'digest-only' : 'all');
        const { location, insecure } = mirror;
        return { location, insecure, tags: from !== 'digest-only', digests: from !== 'tag-only' };
      }),
      blocked: entry.blocked,
      source: file,
    };
  });
}
