import path from 'node:path';
import * as z from 'zod/mini';
import { LadingError } from '../../../errors/errors.js';
import { invalidSettings, type PlaceRule, type RegistryRule } from './rule.js';
import { parseSettings, readSettings } from './settings-file.js';

const placeShape = {
  insecure: z.optional(z.boolean()),
  plainHttp: z.optional(z.boolean()),
  ca: z.optional(z.union([z.string(), z.array(z.string())])),
  clientCertificate: z.optional(z.string()),
  clientKey: z.optional(z.string()),
};
const placeSchema = z.strictObject(placeShape);
const mirrorSchema = z.strictObject({
  ...placeShape,
  location: z.string().check(z.minLength(1)),
  for: z.optional(z.enum(['all', 'digests', 'tags'])),
});
const fileSchema = z.strictObject({
  registries: z.record(
    z.string(),
    z.strictObject({
      ...placeShape,
      location: z.optional(z.string().check(z.minLength(1))),
      mirrors: z.optional(z.array(mirrorSchema)),
      blocked: z.optional(z.boolean()),
    }),
  ),
});

/**
 * The rules of a file of our own form.
 * @throws LadingError PATH_NOT_FOUND, IO, INVALID_DOCUMENT
 */
export async function registryConfigRules(file: string): Promise<readonly RegistryRule[]> {
  const text = await readSettings(file);
  if (text === undefined) {
    throw new LadingError('PATH_NOT_FOUND', `${file} is not there`, { details: { path: file } });
  }
  const { registries } = parseSettings(text, fileSchema, file, JSON.parse);
  return Object.entries(registries).map(([prefix, { location, mirrors = [], blocked, ...place }]) => ({
    prefix,
    origin: { ...placeOf(place, location, file), location: location && bare(location) },
    mirrors: mirrors.map(({ location, for: wanted = 'all', ...mirror }) => ({
      ...placeOf(mirror, location, file),
      location: bare(location),
      tags: wanted !== 'digests',
      digests: wanted !== 'tags',
    })),
    blocked,
    source: file,
  }));
}

function placeOf(
  { insecure, plainHttp, ca, clientCertificate, clientKey }: z.infer<typeof placeSchema>,
  location: string | undefined,
  file: string,
): Omit<PlaceRule, 'location'> {
  if ((clientCertificate === undefined) !== (clientKey === undefined)) {
    throw invalidSettings(file, 'clientCertificate and clientKey belong together');
  }
  const beside = (name: string): string => path.resolve(path.dirname(file), name);
  const plain = plainHttp || location?.startsWith('http://');
  return {
    insecure,
    scheme: plain ? 'http' : location?.startsWith('https://') ? 'https' : undefined,
    authorityFiles: ca === undefined ? [] : [ca].flat().map(beside),
    client:
      clientCertificate && clientKey ? { certificate: beside(clientCertificate), key: beside(clientKey) } : undefined,
  };
}

function bare(location: string): string {
  return location.replace(/^https?:\/\//, '').replace(/\/+$/, '');
}
