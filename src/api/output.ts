import type { Writable } from 'node:stream';
import { LadingError } from '../errors/errors.js';
import { nearest } from '../errors/nearest.js';

/** Where the result of a build goes besides the store. */
export interface Output {
  /** `oci` and `docker`: the image, as an archive or (oci) a folder. `tar` and `local`: its files. */
  readonly type: 'oci' | 'docker' | 'tar' | 'local' | 'image' | 'registry';
  /** A path; `-` is the stream that the caller gives. */
  readonly dest?: string | undefined;
  /** `oci`: an archive (the default) or an OCI layout folder. */
  readonly tar?: boolean | undefined;
  /** Names for the image in this output, instead of the build's own. */
  readonly name?: string | undefined;
  /** `image`: also to its registry. */
  readonly push?: boolean | undefined;
  /** What `-` means. */
  readonly stream?: Writable | undefined;
}

const types = ['oci', 'docker', 'tar', 'local', 'image', 'registry'] as const;
const keys = ['type', 'dest', 'tar', 'name', 'push'];

/**
 * Parses `-o`: `type=oci,dest=image.tar`, or a bare path, which is `type=local`, or `-`, which is `type=tar` to standard
 * output. Values with a comma are quoted as in CSV.
 * @throws LadingError USAGE
 */
export function parseOutput(text: string): Output {
  if (text === '-') return { type: 'tar', dest: '-' };
  const fields = csvFields(text);
  if (fields.length === 1 && !/^[a-z-]+=/.test(fields[0]!)) return { type: 'local', dest: text };
  const values = new Map<string, string>();
  for (const field of fields) {
    const equals = field.indexOf('=');
    const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase().trim();
    if (!keys.includes(key)) {
      const near = nearest(key, keys);
      const hint = near === undefined ? `Known here: ${keys.join(', ')}.` : `Did you mean ${near}?`;
      throw usage(`--output ${text}: ${JSON.stringify(key)} is not supported`, hint);
    }
    values.set(key, equals < 0 ? 'true' : field.slice(equals + 1));
  }
  const type = values.get('type');
  if (type === undefined) throw usage(`--output ${text}: the type is missing`, `Write type=${types.join('|')}.`);
  if (!isType(type))
    throw usage(`--output ${text}: unknown type ${JSON.stringify(type)}`, `Write type=${types.join('|')}.`);
  const output: Output = {
    type,
    dest: values.get('dest'),
    tar: flag(text, values, 'tar'),
    name: values.get('name'),
    push: type === 'registry' ? true : flag(text, values, 'push'),
  };
  const needsPath = type === 'local' || output.tar === false;
  if (needsPath && (output.dest === undefined || output.dest === '-')) {
    throw usage(`--output ${text}: dest must be a folder`, 'Write dest=FOLDER.');
  }
  return { ...output, dest: output.dest ?? (type === 'image' || type === 'registry' ? undefined : '-') };
}

function flag(text: string, values: ReadonlyMap<string, string>, key: string): boolean | undefined {
  const value = values.get(key);
  if (value === undefined || value === 'true' || value === 'false')
    return value === undefined ? undefined : value === 'true';
  throw usage(`--output ${text}: ${key} is true or false, not ${JSON.stringify(value)}`);
}

function isType(text: string): text is Output['type'] {
  return (types as readonly string[]).includes(text);
}

function csvFields(text: string): string[] {
  const fields: string[] = [];
  const pattern = /(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g;
  for (const match of text.matchAll(pattern)) fields.push(match[1]?.replaceAll('""', '"') ?? match[2]!);
  return fields;
}

function usage(message: string, hint?: string): LadingError<'USAGE'> {
  return new LadingError('USAGE', message, { details: { option: 'output' }, hint });
}
